"""Parts: the security core of kernos, by what it answers for. What decides, checks, counts or seals belongs in; what shows it to people does not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"

PARTS: Mapping[str, Sequence[str]] = {
    "policy": (
        "adapters/cedar/*.py",
        "adapters/cedar/pure/*.py",
        "control/gate.py",
        "control/circumstances.py",
        "control/authority.py",
        "control/tenant_store.py",
        "kernel/identity.py",
        "kernel/policies.py",
        "kernel/stops.py",
        "vocabulary/gate.py",
    ),
    "flow": (
        "flow/*.py",
        "control/provenance.py",
        "kernel/grants.py",
        "vocabulary/flow.py",
    ),
    "approvals": (
        "adapters/joserfc/*.py",
        "adapters/ed25519/*.py",
        "control/attestation.py",
        "kernel/approval.py",
        "kernel/own_keys.py",
        "kernel/quorum.py",
        "vocabulary/approval.py",
    ),
    "vault": (
        "adapters/aead/*.py",
        "adapters/sqlite/key_slots.py",
        "adapters/sqlite/vault.py",
        "control/carrying.py",
        "execution/seals.py",
        "kernel/erasure.py",
        "vocabulary/detection.py",
        "vocabulary/sealing.py",
    ),
    "budget": (
        "control/admission.py",
        "control/paying.py",
        "control/treasury.py",
        "kernel/budget.py",
        "kernel/caps.py",
        "vocabulary/budget.py",
    ),
    "verify": (
        "adapters/sqlite/comparison.py",
        "adapters/sqlite/hand_overs.py",
        "adapters/sqlite/heads.py",
        "adapters/sqlite/kept_heads.py",
        "adapters/sqlite/locate.py",
        "adapters/sqlite/second_place.py",
        "adapters/sqlite/tree.py",
        "adapters/sqlite/trust.py",
        "adapters/sqlite/verify.py",
    ),
}
"""Globs below `src/kernos`."""


def files_of(part: str) -> list[Path]:
    """Return the files of a part, in order. A glob that finds nothing is an error: the file was moved."""
    found: list[Path] = []
    for glob in PARTS[part]:
        files = [path for path in (SOURCES / "kernos").glob(glob) if path.name != "__init__.py"]
        if not files:
            message = f"part {part}: no file {glob}"
            raise SystemExit(message)
        found += files
    return sorted(found)
