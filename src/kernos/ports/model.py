"""Model: something that answers a task, near or far."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from kernos.vocabulary.budget import Prices
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed


class Model(Protocol):
    """A brain behind a name."""

    @property
    def metered(self) -> bool:
        """Tell whether a call leaves this process: then everything it depends on is made durable first."""
        ...

    async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
        """Make one attempt. Never retries; a reply that is no JSON for the schema is a RETRYABLE failure."""
        ...


@runtime_checkable
class Priced(Protocol):
    """What a model with a known price tells besides. One that is not of this kind is refused wherever money is capped."""

    @property
    def prices(self) -> Prices:
        """Return what it costs."""
        ...


@runtime_checkable
class Streams(Protocol):
    """What a model tells besides whose answers can come piece by piece: then it is known when they began."""

    async def stream(self, request: ModelRequest, said: Callable[[str], None]) -> ModelReply | AttemptFailed:
        """Make one attempt, as `complete` does, and hand each piece of text on as it comes."""
        ...
