"""Flow: where values come from and where they may go: what tools declare about it, and what the rules say of a call.

A tool says what its call leads to (Consequence), what each argument is for (Role), and which parts of its result outsiders cannot have
written (ResultFields). The rules over it are in `kernos/flow`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kernos.vocabulary.gate import Answer

INTENT = "intent:"
"""How the key of a concern begins that is about the kind of action, not about a datum."""


class Consequence(StrEnum):
    """What a call leads to, from nothing to what is hardest to take back."""

    READ = "read"
    """It tells something, and nobody outside learns what was asked."""
    FETCH = "fetch"
    """It reads from a place that learns the arguments: a web page, a search engine."""
    PRIVATE_WRITE = "private_write"
    """It changes what only the principal sees: a draft, a note, their own calendar."""
    SHARED_WRITE = "shared_write"
    """It changes what others see: a channel, a shared file, an invitation."""
    EGRESS = "egress"
    """It sends something to somebody: a mail, a message."""
    MONEY = "money"
    COMMITMENT = "commitment"
    """It binds the principal: a booking, an order, a signature."""
    DESTRUCTIVE = "destructive"
    CREDENTIAL = "credential"
    """It changes who may get in: a password, a key, a member."""


class Role(StrEnum):
    """What an argument is for."""

    DESTINATION = "destination"
    """Who gets it: an address, an account, a recipient, a channel."""
    PLACE = "place"
    """Where it is put: a folder, a file's name, a calendar."""
    TARGET = "target"
    """Which record is acted on."""
    AMOUNT = "amount"
    SECRET = "secret"  # noqa: S105 - the name of a role
    """A password, a key: it goes nowhere else."""
    IDENTITY = "identity"
    """Who somebody is: a name, a date of birth, a street."""
    DATE = "date"
    CONTENT = "content"
    """Free text or other content; also what an argument is whose role nobody declared."""
    REFERENCES = "references"
    """A list of records that go along: files with a mail, members of a list."""
    ADDRESS = "address"
    """A URL or another address that is read from."""
    QUERY = "query"
    OPTION = "option"
    """One of a few fixed choices."""


class Origin(StrEnum):
    """Where a value comes from."""

    PRINCIPAL = "principal"
    """The principal's own words."""
    INPUT = "input"
    """The contract's input."""
    RECORD = "record"
    """A record that only the principal, or a party they trust, can have written."""
    PROOF = "proof"
    """A field that outsiders cannot fill, of a record that the principal's words, the input or a trusted value select."""
    ENDORSED = "endorsed"
    """A person said yes to this value in this role."""
    CODE = "code"
    """The operator's own code."""
    UNTRUSTED = "untrusted"
    """Text that an outsider may have written."""
    MODEL = "model"
    """A model made it up, or what it made it from cannot be told."""


@dataclass(frozen=True, slots=True)
class ResultFields:
    """What of a tool's result can be relied on; fields are named by their last name, or by a path: `order.id`, `items.price`.

    `trusted`: outsiders can write nothing in it (a balance, the principal's own contacts). `proof`: fields that outsiders cannot fill with
    free text (ids, verified senders, sums). `names`: fields by which people name such a record (subject, title, counterparty).
    `secret`: fields whose values go nowhere.
    """

    trusted: bool = False
    proof: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowContract:
    """What a tool declares about the flow of data through it."""

    consequence: Consequence
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By the argument's name or path; those not named are content."""
    result: ResultFields = field(default_factory=ResultFields)
    asked_by: tuple[str, ...] = ()
    """Words by which people ask for it, besides those that its consequence and its name give."""


@dataclass(frozen=True, slots=True)
class Heritage:
    """What a run hands over with a value, to a child or to its parent: which parts nobody vouches for, and what a person said yes or no to.

    Parts are named by their JSON pointers (RFC 6901) in the value.
    """

    untrusted: tuple[str, ...] = ()
    """Parts that come from text that an outsider may have written, also by way of a model that read it."""
    modelled: tuple[str, ...] = ()
    """Parts that a model made up which had read nothing of outsiders."""
    endorsed: tuple[str, ...] = ()
    """Keys of concerns."""
    refused: tuple[str, ...] = ()
    is_intent_untrusted: bool = False
    """What the child is asked for is put in words that hold such parts."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing about a call that a person should say yes to: a datum, not the action.

    `key` names the datum and its role; a yes or no to it counts wherever it turns up again in the run's tree.
    """

    key: str
    what: str
    """The argument's path, or `intent`."""
    value: str
    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules of flow say about a call: allow, or ask with every concern, or deny."""

    answer: Answer
    concerns: tuple[Concern, ...] = ()
    grounds: tuple[str, ...] = ()
    """Which standing grants it rests on, and for what."""

    @property
    def reason(self) -> str:
        """Say it in one line."""
        return "; ".join(concern.reason for concern in self.concerns)
