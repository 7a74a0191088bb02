"""A model with a number of slots that nobody tells the kernel, in the event loop's own time; and agents that ask it."""

import asyncio
import json
import random
from collections import deque
from dataclasses import dataclass

from pydantic import BaseModel

from kernos import Context, agent
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Pace, Usage

WRITTEN_PER_S, READ_PER_S, BASE_S = 60.0, 4_000.0, 0.04
RETRY_AFTER_MS = 1_000


class Call(BaseModel):
    """One call: tokens read and written, and how long the agent is busy otherwise afterwards."""

    reads: int
    writes: int
    then_ms: int


class Job(BaseModel):
    calls: list[Call]


@dataclass
class Slots:
    """A server that works on `count` calls at once, slower the more there are, lets `queue` wait and refuses the others."""

    count: int
    queue: int = 1_000_000
    crowd: float = 0.5
    refused: int = 0
    answered: int = 0
    metered: bool = True

    def __post_init__(self) -> None:
        self._used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
        """Answer after the time that it takes."""
        call = json.loads(request.input.text)
        asked_at = asyncio.get_running_loop().time()
        if self._used >= self.count or self._waiting:
            if len(self._waiting) >= self.queue:
                self.refused += 1
                return AttemptFailed(FailureKind.RETRYABLE, "too many", retry_after_ms=RETRY_AFTER_MS)
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        else:
            self._used += 1
        try:
            slowed = 1 + self.crowd * self._used / self.count
            await asyncio.sleep(call["reads"] / READ_PER_S + BASE_S)
            first_ms = round((asyncio.get_running_loop().time() - asked_at) * 1_000)
            await asyncio.sleep(call["writes"] / WRITTEN_PER_S * slowed)
        finally:
            self._used -= 1
            if self._waiting:
                self._used += 1
                self._waiting.popleft().set_result(None)
        self.answered += 1
        return ModelReply(Json(b'"done"'), Usage(call["reads"], call["writes"]), Pace(first_ms))


async def do(ctx: Context, job: Job) -> str:
    for call in job.calls:
        await ctx.model("work", call, str)
        if call.then_ms:
            await ctx.sleep(call.then_ms / 1_000)
    return "done"


worker = agent("worker")(do)


def job_of(calls: int, chance: random.Random, *, busy: float = 0.5) -> Job:
    """Return a job of so many calls as agents make: most are short, some are long."""
    return Job(
        calls=[
            Call(
                reads=chance.randint(300, 1_500),
                writes=max(1, min(1_500, round(chance.lognormvariate(4.4, 0.8)))),
                then_ms=round(chance.expovariate(1 / busy) * 1_000) if busy else 0,
            )
            for _ in range(calls)
        ]
    )
