"""Policies as their author sees them: where a rule stands, what is wrong with it, and what it means for each call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernos.vocabulary.errors import BadConfiguration


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file, as editors count: lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Write it as editors and terminals understand it: `money.cedar:12:3`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and what to do about it."""

    place: Place
    about: str
    """What is wrong there: `rule small`, or a name that is declared; empty where the place says it."""
    message: str

    def __str__(self) -> str:
        """Write it in one line."""
        return f"{self.place}: {f'{self.about}: ' if self.about else ''}{self.message}"


class BadPolicies(BadConfiguration):
    """Policies, or what is declared beside them, cannot be used."""

    def __init__(self, message: str, faults: Sequence[Fault], *, hint: str = "") -> None:
        """Take the whole in words, and each fault by itself."""
        super().__init__(message, hint=hint)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule as it is written."""

    id: str
    place: Place
    text: str


@dataclass(frozen=True, slots=True, order=True)
class PossibleCall:
    """A call that can come about: an agent and a tool that it declares (or that takes back what it did), or a model."""

    agent: str
    tool: str
    model: str = ""
    """The model's name where `tool` is that of model calls."""

    @property
    def name(self) -> str:
        """Return the name of the tool, or of the model."""
        return f"{self.tool} {self.model}" if self.model else self.tool


@dataclass(frozen=True, slots=True)
class Survey:
    """What a set means for the calls that can come about, judged by the heads of its rules and by rules without conditions."""

    never: tuple[PossibleCall, ...]
    """No rule permits them, or one without conditions forbids them."""
    attended: tuple[PossibleCall, ...]
    """May happen, and never without a person's yes."""
    idle: tuple[tuple[RuleText, str], ...]
    """Rules that no call can come to, and why."""


# --- which set is in force -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PoliciesProposed:
    """Somebody wants a policy set in force that they checked; the process that runs agents answers."""

    digest: str
    """SHA-256 of the set with the schema it was checked against, 64 hex digits."""
    files: Mapping[str, str]
    """Its texts by file name, what is declared beside them among them."""


@dataclass(frozen=True, slots=True)
class PoliciesEntered:
    """From now on every decision is made under this policy set."""

    digest: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PoliciesRefused:
    """The process that runs agents cannot use a proposed policy set; the one before stays in force."""

    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProposePolicies:
    """Ask for a policy set to be put in force."""

    digest: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EnterPolicies:
    """Put a policy set in force."""

    digest: str
    files: Mapping[str, str]
    answers: bool = False
    """Only where this set is what is wanted: another one may have been proposed by now."""


@dataclass(frozen=True, slots=True)
class RefusePolicies:
    """Leave the set in force that is."""

    digest: str
    reason: str
