"""Checking: the journal against its tree, and the projections against the journal.

The journal is checked without being opened as a store: one that was tampered with refuses to open, and its faults have to be found all the same.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.joserfc.tokens import TokenReader
from kernos.adapters.sqlite.trust import Trusted
from kernos.adapters.sqlite.verify import verify_store as verify_journal
from kernos.adapters.system.clock import SystemClock
from kernos.app.cli.showing import Advance, print_json, progress
from kernos.app.stores import open_store
from kernos.control.projections import TABLES
from kernos.control.replay import Difference, compare, rebuild
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.journal import Finding, Verification

_KEY_DIGITS = 64

_TRIES = 5
"""Comparisons made anew because a running kernel moved on between the two sides."""


def verify_store(store: Path, *, projections: bool, as_json: bool, trust: str = "", heads: str = "") -> int:
    """Print what was checked and what is wrong; return 0 when nothing is, else 1.

    `trust`: a public key, or a file with one; `heads`: a file of kept heads.
    """
    trusted = Trusted(_public_key(trust), FileSigner.is_signed) if trust else None
    with progress("entries") as advance:
        verification = check_journal(store, advance, trusted, Path(heads) if heads else None)
    differences: list[Difference] = []
    if projections and not verification.findings:
        with progress("projections") as advance:
            differences = asyncio.run(_compare(store, advance))
    is_clean = not verification.findings and not differences
    if as_json:
        print_json({"clean": is_clean, "entries": verification.entries, "heads": verification.heads,
                    "root": verification.root.hex(), "kept_size": verification.kept_size, "findings": verification.findings, "differences": differences})  # fmt: skip
        return 0 if is_clean else 1
    for finding in verification.findings:
        print(f"{finding.kind} at {_place(finding)}: {finding.message}")
    for difference in differences:
        print(
            f"projection {difference.table} differs from the journal: it has {difference.live}, the journal gives {difference.rebuilt}"
        )
    if is_clean:
        also = "; signed from the trusted key on" if trust else ""
        also += f"; {heads} agrees up to size {verification.kept_size}" if heads else ""
        also += "; the projections are what the journal gives" if projections else ""
        print(
            f"clean: {verification.entries} entries under {verification.heads} signed tree heads, root {verification.root.hex()[:16]}{also}"
        )
        return 0
    print(f"next: {_next_step(store, verification.findings, heads)}")
    return 1


def _next_step(store: Path, findings: Sequence[Finding], heads: str) -> str:
    kinds = {finding.kind for finding in findings}
    if not kinds:
        return "kernos rebuild"
    if kinds == {"kept_heads"}:
        return f"compare with another copy of {heads}; the rest of it agrees with the store"
    if kinds <= {"kept_heads", "foreign"}:
        return f"make sure that {heads} is of this store and copied as it was; if so, restore {store} from a backup that agrees with it"
    return f"restore {store} from a backup; what stands before the first place is as kernos wrote it"


def check_journal(
    store: Path, advance: Advance, trusted: Trusted | None = None, kept: Path | None = None
) -> Verification:
    """Verify a store's file as it lies there. Raises BadConfiguration when its key is missing, ForeignStore, StorageFailed."""
    return asyncio.run(verify_journal(store, FileSigner.at, advance, trusted=trusted, kept=kept))


def _public_key(given: str) -> bytes:
    """Return the public key that is written in hex, or that a file holds. Raises BadConfiguration."""
    if len(given) == _KEY_DIGITS and all(letter in "0123456789abcdefABCDEF" for letter in given):
        return bytes.fromhex(given)
    try:
        text = Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"--trust {given} is neither a public key of {_KEY_DIGITS} hex digits nor a file with one: {error}"
        raise BadConfiguration(message, hint="See the store's public keys with `kernos key show`.") from error
    return TokenReader.of(text).newest.public_key


def _place(finding: Finding) -> str:
    place = f"position {finding.at}" if finding.at >= 0 else "no single position"
    return f"{place} (run {finding.run}, entry {finding.n})" if finding.run else place


async def _compare(store: Path, advance: Advance) -> list[Difference]:
    """Rebuild the projections into a store of their own and compare them with the live ones."""
    differences: list[Difference] = []
    clock = SystemClock()
    live = open_store(store, clock)
    try:
        for _ in range(_TRIES):
            before = await live.head()
            entries = before.size if before is not None else 0
            with tempfile.TemporaryDirectory(prefix="kernos-") as folder:
                aside = open_store(Path(folder) / "aside.kernos", clock)
                try:
                    await rebuild(live, aside, partial(advance, of_all=entries))
                    differences = await compare(live, aside)
                finally:
                    await aside.close()
            if not differences or await live.head() == before:
                break
    finally:
        await live.close()
    return differences


async def rebuild_projections(store: Path) -> None:
    """Make the projections anew, also beside a running kernel. Raises StoreBusy when another process does so already."""
    journal = open_store(store, SystemClock())
    try:
        head = await journal.head()
        entries = head.size if head is not None else 0
        with progress("entries") as advance:
            await rebuild(journal, journal, partial(advance, of_all=entries))
    finally:
        await journal.close()
    print(f"rebuilt {', '.join(table.name for table in TABLES)} from {entries} entries")
