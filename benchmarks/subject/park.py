"""kernos with many runs that wait. Phases: `empty`, `fill` and `wake` (parked runs), `begin` and `finish` (runs blocked half-way).

Runs to be killed are all parked and durable when `ready` is printed; nothing is closed.
"""

import asyncio
import time

from benchmarks.measure import in_tasks, report
from benchmarks.phase import Phase, memory_mb, phase_arguments, wait_to_be_killed
from benchmarks.row import quantile
from benchmarks.subject.agents import POLICY, Ask, actor, parker, waiter
from kernos.app.kernel import Kernel

_AT_ONCE = 256
_WOKEN = 100


def kernel_of(phase: Phase) -> Kernel:
    """Return the kernel over the phase's folder."""
    return Kernel(phase.folder / "bench.kernos", agents=[parker, waiter, actor], policies=POLICY)


async def fill(phase: Phase) -> None:
    """Park runs that wait for a signal at once."""
    async with kernel_of(phase) as kernel:
        await _start(kernel, "parker", phase.runs)
        report({"runs": phase.runs})


async def _start(kernel: Kernel, agent: str, runs: int) -> None:
    """Start runs and return once all of them wait."""

    async def make_run() -> None:
        await kernel.start(agent, Ask(n=1))

    await in_tasks(make_run, runs, min(runs, _AT_ONCE))
    while len(await kernel.waiting(kind="signal", limit=runs)) < runs:
        await asyncio.sleep(0.02)


async def empty(phase: Phase) -> None:
    """Open a kernel without any run."""
    async with kernel_of(phase):
        report({"ready_s": phase.seconds(), "memory_mb": memory_mb()})


async def wake(phase: Phase) -> None:
    """Open the kernel over its parked runs, and wake some of them one after another."""
    async with kernel_of(phase) as kernel:
        ready_s, memory = phase.seconds(), memory_mb()
        rows = await kernel.waiting(kind="signal", limit=phase.runs)
        chosen = [str(row["run"]) for row in rows[:: max(1, len(rows) // _WOKEN)]][:_WOKEN]
        assert len(chosen) == _WOKEN, len(rows)
        times_ms = []
        for name in chosen:
            start = time.perf_counter()
            run = await kernel.run(name)
            await run.signal("go", 1)
            assert await run.result() == Ask(n=1)
            times_ms.append((time.perf_counter() - start) * 1_000)
        p50, p95 = quantile(times_ms, 0.5), quantile(times_ms, 0.95)
        report({"ready_s": ready_s, "memory_mb": memory, "wake_p50_ms": p50, "wake_p95_ms": p95})


async def begin(phase: Phase) -> None:
    """Bring runs to their middle and wait to be killed."""
    async with kernel_of(phase) as kernel:
        await _start(kernel, "waiter", phase.runs)
        wait_to_be_killed()


async def finish(phase: Phase) -> None:
    """Take blocked runs up again, signal all, and note when the first and the last one ended."""
    async with kernel_of(phase) as kernel:
        ready_s = phase.seconds()
        rows = await kernel.waiting(kind="signal", limit=phase.runs)
        assert len(rows) == phase.runs, len(rows)

        async def finish_one(name: str) -> float:
            run = await kernel.run(name)
            await run.signal("go", 1)
            await run.result()
            return phase.seconds()

        ends = await asyncio.gather(*(finish_one(str(row["run"])) for row in rows))
        report({"ready_s": ready_s, "first_s": min(ends), "last_s": max(ends)})


if __name__ == "__main__":
    given = phase_arguments()
    asyncio.run({"empty": empty, "fill": fill, "wake": wake, "begin": begin, "finish": finish}[given.name](given))
