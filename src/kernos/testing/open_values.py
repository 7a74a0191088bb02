"""Open values: whether what a world has sealed stands in its journal after all: each value is a canary of every check that closes books."""

from collections.abc import Sequence

from msgspec import json

from kernos.app.kernel import Kernel
from kernos.vocabulary.errors import Erased, NotSealedHere
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.sealing import Handle, handles_in

LENGTH_MIN = 12
"""Characters from which a value stands nowhere by chance."""


def open_values(kernel: Kernel, entries: Sequence[Entry]) -> list[str]:
    """Return in which entries a value stands for which the journal has a handle; projections are made of entries alone."""
    handles = {handle for entry in entries for handle in handles_in(entry.body)}
    values = {handle: _value_of(kernel, handle) for handle in handles}
    return [
        f"entry {entry.n} of run {entry.run} holds a value labelled {handle.label} in the open"
        for entry in entries
        for handle, value in values.items()
        if len(value) >= LENGTH_MIN and (value.encode() in entry.body or json.encode(value)[1:-1] in entry.body)
    ]


def _value_of(kernel: Kernel, handle: Handle) -> str:
    tenant = kernel.vault.tenant_of(handle.key)
    try:
        return kernel.vault.open(tenant, handle) if tenant is not None else ""
    except (Erased, NotSealedHere):
        return ""
