"""Erasure: that the values of a subject were destroyed. Neither event nor command says who it was."""

from dataclasses import dataclass

from kernos.vocabulary.ids import TenantId


@dataclass(frozen=True, slots=True)
class SubjectErased:
    """A subject's keys are destroyed from now on, and with them everything that they sealed."""

    tenant: TenantId
    keys: tuple[str, ...]
    """Names of the keys, as they stand in handles; chance made them."""
    values: int
    """How many values they sealed."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EraseSubject:
    """Destroy the keys of a subject."""

    tenant: TenantId
    keys: tuple[str, ...]
    values: int
    reason: str = ""
