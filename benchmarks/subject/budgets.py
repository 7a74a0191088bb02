"""Model calls under a cap: as a kernel process that may be killed among others, as a crowd of children, or for their CPU.

`spender STORE NUMBER CALLS` prints `called` for each call that leaves, `crowd SEED` and `cost capped|free RUNS` a line of figures.
"""

import asyncio
import sys
import time
from pathlib import Path

from pydantic import BaseModel

from benchmarks.measure import report
from kernos import Budget, CallFailed, Context, Kernel, agent
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.testing import VirtualKernel, run_virtually
from kernos.vocabulary.budget import Cap, Caps, Over, Prices, Unit
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.errors import KernosError
from kernos.vocabulary.quantities import Json, Limits, Usage

CAP, USED = 100_000, 300
CROWD, CROWD_CAP = 64, 2_000
_AT_ONCE = 8
_COSTS_AT_ONCE = 64


class Reading(BaseModel):
    words: int


class Model:
    """Answers at once, or after some milliseconds, and says that it used 300 tokens."""

    metered = True
    prices = Prices(0, 0)

    def __init__(self, *, tells: bool = False, delay_s: float = 0.0) -> None:
        self._tells = tells
        self._delay_s = delay_s

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer."""
        if self._tells:
            print("called", flush=True)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        return ModelReply(Json(b'{"words":3}'), Usage(USED - 10, 10, 0))


@agent("reader")
async def reader(ctx: Context, text: str) -> str:
    try:
        await ctx.model("count", text, Reading, completion_tokens_max=50)
    except CallFailed as failed:
        return failed.failure
    return "read"


@agent("crowd", limits=Limits(fan_out=CROWD))
async def crowd(ctx: Context, count: int) -> list[str]:
    return list(await ctx.fork(*[lambda c: c.run(reader, "one two") for _ in range(count)]))


class Spender(Kernel):
    """A kernel that runs agents beside others over the same store: each has a lock of its own."""

    number = 0

    def _try_lock(self) -> WorkerLock | None:
        return WorkerLock.try_lock(self.path.with_name(f"spender-{self.number}"))


async def spend(path: Path, number: int, calls: int) -> None:
    """Start so many runs, some side by side, and say how each ended."""
    caps = Caps((Cap(Over.STORE, Unit.TOKENS, CAP),))
    kernel = Spender(path, agents=[reader], models={"default": Model(tells=True, delay_s=0.002)}, budgets=caps)
    kernel.number = number
    async with kernel:
        for begin in range(0, calls, _AT_ONCE):
            runs = [await kernel.start(reader, "one two") for _ in range(min(_AT_ONCE, calls - begin))]
            for run in runs:
                try:
                    print("refused" if await run.result() == "over_budget" else "ended", flush=True)
                except KernosError as error:
                    print(f"failed {error}", flush=True)


def gather(seed: int) -> dict[str, float]:
    """Let 64 children share a cap that has room for a few of their calls."""
    found: dict[str, float] = {}

    async def live() -> None:
        models = {"default": Model(delay_s=0.1)}
        async with VirtualKernel(crowd, reader, models=models, seed=seed, group_delay_ms=lambda: 3) as kernel:
            run = await kernel.start(crowd, CROWD, budget=Budget(tokens=CROWD_CAP))
            answers = await run.result()
            (row,) = await kernel.journal.select("accounts", {"unit": "tokens"})
            found.update(spent=int(row["used"] or 0), refused=answers.count("over_budget"), made=answers.count("read"))

    run_virtually(live())
    return found


async def cost(path: Path, runs: int, *, is_capped: bool) -> dict[str, float]:
    """Return the CPU microseconds of a run with one model call."""
    caps = Caps((Cap(Over.STORE, Unit.TOKENS, 10**12),)) if is_capped else Caps()
    async with Kernel(path, agents=[reader], models={"default": Model()}, budgets=caps) as kernel:
        await (await kernel.start(reader, "one")).result()
        before = time.process_time()
        for _ in range(0, runs, _COSTS_AT_ONCE):
            begun = await asyncio.gather(*(kernel.start(reader, "one two") for _ in range(_COSTS_AT_ONCE)))
            await asyncio.gather(*(run.result() for run in begun))
        return {"cpu_us": (time.process_time() - before) * 1e6 / (-(-runs // _COSTS_AT_ONCE) * _COSTS_AT_ONCE)}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["spender", store, number, calls]:
            asyncio.run(spend(Path(store), int(number), int(calls)))
        case ["crowd", seed]:
            report(gather(int(seed)))
        case ["cost", capped, store, runs]:
            report(asyncio.run(cost(Path(store), int(runs), is_capped=capped == "capped")))
