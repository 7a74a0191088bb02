"""Erasure and disclosure: that the values of a subject were destroyed, or shown to a person. No event says who it was or what they are."""

from dataclasses import dataclass

from kernos.vocabulary.ids import RunId, StepName, TenantId


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


@dataclass(frozen=True, slots=True)
class ValuesShown:
    """A person was shown sealed values of a run."""

    tenant: TenantId
    run: RunId
    step: StepName
    """Empty: those of its intent and input."""
    labels: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ShowValues:
    """Record that a person is about to be shown sealed values."""

    tenant: TenantId
    run: RunId
    step: StepName
    labels: tuple[str, ...]
    reason: str
