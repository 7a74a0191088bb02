"""Canaries: every value that a store has sealed is one. None may stand in a file beside that store, nor in what a test printed or logged.

So each suite that declares a label plants them without a word more; `tests/conftest.py` looks after every test that left a vault behind.
"""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from kernos import KernosError
from kernos.adapters.sqlite.vault import vault_path
from kernos.app.stores import open_vault
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.sealing import Handle

LENGTH_MIN = 12
"""Characters from which a value stands nowhere by chance: `my order` stands in letters of the desk's own."""

WORD_MIN = 16
"""The same for one word of letters alone: a mail's subject may be `compensation`."""

OUTSIDE = ("shop.",)
"""How files of the outside world begin: a shop knows its customers."""


def stores_in(folder: Path) -> list[Path]:
    """Return the stores below a folder in which something was sealed."""
    return [
        path.with_suffix("") for path in sorted(folder.rglob("*.vault")) if vault_path(path.with_suffix("")) == path
    ]


def sealed_in(store: Path) -> set[str]:
    """Return the values that a store has sealed and that nobody erased; none where a test has spoilt the vault."""
    try:
        with closing(sqlite3.connect(f"file:{vault_path(store)}?mode=ro", uri=True)) as rows:
            found = rows.execute("SELECT tenant, label, key, mac FROM sealed JOIN keys ON name = key").fetchall()
        vault = open_vault(store)
        try:
            return {vault.open(TenantId(tenant), Handle(label, key, mac)) for tenant, label, key, mac in found}
        finally:
            vault.close()
    except (KernosError, sqlite3.Error):
        return set()


def forms_of(values: Iterable[str]) -> dict[bytes, str]:
    """Return how values would stand in a file: as they are, quoted in JSON, as base64."""
    return {
        form: value
        for value in values
        if len(value) >= (WORD_MIN if value.isalpha() else LENGTH_MIN)
        for form in (value.encode(), json.dumps(value)[1:-1].encode(), b64encode(value.encode()).rstrip(b"="))
    }


def leaks_below(folder: Path, printed: str = "") -> list[str]:
    """Return what stands in the open: of each store below a folder, in any file of that folder or in what was printed."""
    forms = {form: value for store in stores_in(folder) for form, value in forms_of(sealed_in(store)).items()}
    if not forms:
        return []
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(OUTSIDE)]
    texts = {str(file.relative_to(folder)): file.read_bytes() for file in files} | {
        "what was printed": printed.encode()
    }
    return [f"{value!r} in {where}" for where, text in texts.items() for form, value in forms.items() if form in text]
