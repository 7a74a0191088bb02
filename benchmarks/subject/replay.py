"""One run of many steps, recorded and then replayed as `kernos replay` does it."""

import asyncio
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import report
from benchmarks.subject.agents import POLICY, Ask, act, look
from kernos.app.kernel import Kernel
from kernos.app.records import Records
from kernos.authoring.agent import agent
from kernos.authoring.codec import codec_of
from kernos.control.record import record_of
from kernos.control.reenact import reenact
from kernos.execution.context import Context
from kernos.execution.worker import InProcessWorker
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.quantities import Limits

_TIMES = 5
_STEPS_MAX = 10_000


@agent(tools=[look], limits=Limits(steps=_STEPS_MAX))
async def reads(ctx: Context, ask: Ask) -> Ask:
    """As many reads as are asked for, 1 KB each."""
    return Ask(n=len([await ctx.call(look, Ask(n=n)) for n in range(ask.n)]))


@agent(tools=[act], limits=Limits(steps=_STEPS_MAX))
async def actions(ctx: Context, ask: Ask) -> Ask:
    """As many actions as are asked for, 1 KB each."""
    return Ask(n=len([await ctx.call(act, Ask(n=n)) for n in range(ask.n)]))


AGENTS: dict[str, AgentContract[Any, Any]] = {"reads": reads, "actions": actions}


async def main(store: Path, contract: AgentContract[Any, Any], steps: int) -> None:
    """Record, then replay some times; report the median."""
    async with Kernel(store, agents=list(AGENTS.values()), policies=POLICY) as kernel:
        run = await kernel.start(contract, Ask(n=steps))
        await run.result()
    times_ms = []
    for _ in range(_TIMES):
        start = time.process_time()
        with Records(store) as records:
            record = record_of(await records.events(records.find(run.id)))
        replay = await reenact(record, contract, InProcessWorker({}, codec_of))
        times_ms.append((time.process_time() - start) * 1_000)
        assert replay.difference is None, replay.difference
        assert replay.steps == steps, replay.steps
    report({"cpu_ms": median(times_ms)})


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) / "bench.kernos", AGENTS[sys.argv[2]], int(sys.argv[3])))
