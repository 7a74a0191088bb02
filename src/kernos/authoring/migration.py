"""Migration: how what an older version of an agent recorded is brought over to its present types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kernos.authoring.codec import codec_of
from kernos.authoring.signature import types_of, where
from kernos.vocabulary.contract import Codec, MigrationContract
from kernos.vocabulary.errors import BadDeclaration, ContractBroken
from kernos.vocabulary.quantities import Json

_RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a function may raise for a value that it cannot bring over."""


@dataclass(frozen=True, slots=True)
class Migration:
    """From one older version of an agent to the present one: `@agent(version="2", migrations={"1": Migration(input=to_ticket)})`.

    Each function takes a value of the older type (`def to_ticket(old: OldTicket) -> Ticket`, or a dict for plain JSON) and returns one of
    the agent's present type. What is left out has not changed. The journal is never changed: values are brought over when a run is
    resumed, replayed or read.
    """

    input: Callable[[Any], Any] | None = None
    state: Callable[[Any], Any] | None = None
    """For the state that checkpoints carry."""
    output: Callable[[Any], Any] | None = None


def contracts_of(
    migrations: Mapping[str, Migration], agent: str, version: str, present: Mapping[str, Codec | None]
) -> tuple[tuple[str, MigrationContract], ...]:
    """Check an agent's migrations against its present types (by `input`, `state` and `output`). Raises BadDeclaration."""
    made: list[tuple[str, MigrationContract]] = []
    for older, migration in migrations.items():
        if not isinstance(migration, Migration) or older == version:
            message = (
                f"agent {agent}: what stands in migrations for version {older!r} is no migration to version {version!r}"
            )
            raise BadDeclaration(message, hint='Write migrations={"1": Migration(input=...)} under an older version.')
        ways = {
            what: _way(getattr(migration, what), f"the {what} of version {older} of agent {agent}", codec)
            for what, codec in present.items()
        }
        if not any(ways.values()):
            message = f"agent {agent}: the migration of version {older!r} changes nothing"
            raise BadDeclaration(message, hint="Name what has changed: Migration(input=...), state=... or output=...")
        made.append((older, MigrationContract(**ways)))
    return tuple(made)


def _way(function: Callable[[Any], Any] | None, what: str, present: Codec | None) -> Callable[[Json], Json] | None:
    """Return a function over JSON that decodes the older type, calls the user's function, and checks what it gives."""
    if function is None:
        return None
    kinds, result = types_of(function, "migration", (1,))
    older, newer = codec_of(kinds[0]), codec_of(result)
    if present is None or newer.schema != present.schema:
        wanted = present.type_name if present is not None else "nothing: the agent has none"
        message = (
            f"{function.__name__} ({where(function)}) is to migrate {what}, and returns {newer.type_name}, not {wanted}"
        )
        raise BadDeclaration(message, hint="Let it return the type that the agent has now.")

    def bring_over(value: Json) -> Json:
        old = older.decode(value)
        try:
            new = function(old)
        except _RAISED as error:
            message = f"{function.__name__} raised {type(error).__name__}: {error}"
            raise ContractBroken(message) from error
        return newer.encode(new)

    return bring_over
