"""kernos over one file: runs of ten steps, from `Kernel.start` to the answer.

Variants: `reads` (steps that only read: each is recorded, none is waited for, the answer leaves when all are on disk) and `actions` (each
step's intent is on disk before its effect, and its result before the next intent). Policy, projections, tree and signed heads as always.
"""

import asyncio

from benchmarks.measure import STEPS_A_RUN, Load, Meter, in_tasks, load_arguments, report
from benchmarks.subject.agents import POLICY, Ask, actor, reader
from kernos.app.kernel import Kernel


async def measure(load: Load) -> None:
    agent = {"reads": reader, "actions": actor}[load.variant]
    async with Kernel(load.folder / "bench.kernos", agents=[reader, actor], policies=POLICY) as kernel:

        async def make_run() -> None:
            run = await kernel.start(agent, Ask(n=1))
            assert await run.result() == Ask(n=STEPS_A_RUN)

        await in_tasks(make_run, load.warm_up, load.at_once)
        meter = Meter(load.folder)
        await in_tasks(make_run, load.runs, load.at_once)
        report(meter.end(load.runs * STEPS_A_RUN))


if __name__ == "__main__":
    asyncio.run(measure(load_arguments()))
