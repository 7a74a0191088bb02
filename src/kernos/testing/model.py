"""Model: a scripted one for tests, which gives the replies it was told and remembers what it was asked."""

from collections.abc import Sequence

import msgspec
from pydantic import BaseModel

from kernos.vocabulary.budget import Prices
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage

FREE = Prices(0, 0)
"""Of a model that costs nothing, and whose tokens are counted."""


class ScriptedModel:
    """Gives its replies in order, one a call: a `ports.model.Model`."""

    def __init__(self, replies: Sequence[object], *, metered: bool = False, prices: Prices = FREE) -> None:
        """Take the replies: a ModelReply, an AttemptFailed, a Json, a pydantic model, or any value that becomes JSON."""
        self._replies = [_reply(reply) for reply in replies]
        self._metered = metered
        self._prices = prices
        self.requests: list[ModelRequest] = []
        """What it was asked, in order."""

    def begun_anew(self) -> "ScriptedModel":
        """Return a model with the same script that was not asked anything yet."""
        return ScriptedModel(self._replies, metered=self._metered, prices=self._prices)

    @property
    def metered(self) -> bool:
        """Tell what it was made to tell."""
        return self._metered

    @property
    def prices(self) -> Prices:
        """Tell the prices it was made with."""
        return self._prices

    async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
        """Give the next reply; FINAL once the script is used up."""
        self.requests.append(request)
        asked = len(self.requests)
        if asked > len(self._replies):
            message = f"the script has {len(self._replies)} replies; this is call {asked}, task {request.task!r}"
            return AttemptFailed(FailureKind.FINAL, message)
        return self._replies[asked - 1]


def _reply(reply: object) -> ModelReply | AttemptFailed:
    if isinstance(reply, ModelReply | AttemptFailed):
        return reply
    if isinstance(reply, BaseModel):
        reply = Json(reply.model_dump_json().encode())
    return ModelReply(reply if isinstance(reply, Json) else Json(msgspec.json.encode(reply)), Usage())
