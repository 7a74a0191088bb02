"""kernos over a journal that is already long. Phases: `fill` (`--runs` runs that have ended, 12 events each) and `measure`.

The fill is one real run of ten steps, recorded over and over under new ids, straight into the journal and its projections: every event is
one the kernel could have written. Results are short there, so that millions of them fit a laptop's disk.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel

from benchmarks.measure import STEPS_A_RUN, cpu_ms, in_tasks, report
from benchmarks.phase import Phase, phase_arguments
from benchmarks.row import quantile
from benchmarks.subject.agents import POLICY, Ask, actor, parker, reader
from kernos.adapters.system.clock import SystemClock
from kernos.app.kernel import Kernel
from kernos.app.stores import open_store
from kernos.authoring.agent import agent
from kernos.authoring.tool import tool
from kernos.control.codec import encode_event
from kernos.control.projections import project
from kernos.execution.context import Context
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import RUN_RANDOM_BITS, run_id
from kernos.vocabulary.journal import Append

_AT_ONCE = 64
_RUNS = 400
_WOKEN = 200
_APPENDS_AT_ONCE = 300
_FIRST_RUN = 1 << RUN_RANDOM_BITS + 20
"""Before every run of today: the fill is the past."""


class Short(BaseModel):
    text: str


@tool(effect="read")
async def glance(ask: Ask) -> Short:
    """Return a few bytes."""
    return Short(text="short")


@agent(tools=[glance])
async def filler(ctx: Context, ask: Ask) -> Ask:
    """Ten short steps."""
    for n in range(STEPS_A_RUN):
        await ctx.call(glance, Ask(n=n))
    return ask


def kernel_of(phase: Phase) -> Kernel:
    """Return the kernel over the phase's folder."""
    return Kernel(phase.folder / "bench.kernos", agents=[filler, reader, parker, actor], policies=POLICY)


async def fill(phase: Phase) -> None:
    """Record a run, and then the same again and again."""
    async with kernel_of(phase) as kernel:
        run = await kernel.start(filler, Ask(n=1))
        await run.result()
        events = [event async for event in run.events()]
    journal = open_store(phase.folder / "bench.kernos", SystemClock())
    for first in range(0, phase.runs, _APPENDS_AT_ONCE):
        copies = range(first, min(first + _APPENDS_AT_ONCE, phase.runs))
        commits = [journal.append([_copy(events, number)]) for number in copies]
        await commits[-1].durable()
    head = await journal.head()
    await journal.close()
    expected = (phase.runs + 1) * len(events) + 1  # That the policies are in force, once for the store.
    assert head is not None, "nothing was filled in"
    assert head.size == expected, (head.size, expected)
    report({"events": expected})


def _copy(events: Sequence[Event], number: int) -> Append:
    """Return the append of a whole run under another id."""
    run = run_id(_FIRST_RUN + (number << RUN_RANDOM_BITS))
    copies = [replace(event, run=run) for event in events]
    rows = tuple(row for event in copies for row in project(event))
    return Append(run, 0, tuple(encode_event(event) for event in copies), rows)


async def measure(phase: Phase) -> None:
    """Make runs of ten steps, and wake parked ones."""
    async with kernel_of(phase) as kernel:

        async def make_run() -> None:
            run = await kernel.start(reader, Ask(n=1))
            assert await run.result() == Ask(n=STEPS_A_RUN)

        await in_tasks(make_run, _AT_ONCE, _AT_ONCE)
        start, spent_ms = time.perf_counter(), cpu_ms()
        await in_tasks(make_run, _RUNS, _AT_ONCE)
        seconds, spent_ms = time.perf_counter() - start, cpu_ms() - spent_ms
        runs = [await kernel.start(parker, Ask(n=1)) for _ in range(_WOKEN)]
        while len(await kernel.waiting(kind="signal", limit=_WOKEN)) < _WOKEN:
            await asyncio.sleep(0.02)
        times_ms = []
        for run in runs:
            woken = time.perf_counter()
            await run.signal("go", 1)
            await run.result()
            times_ms.append((time.perf_counter() - woken) * 1_000)
        steps = _RUNS * STEPS_A_RUN
        report(
            {
                "cpu_ms": spent_ms / steps,
                "steps_per_s": steps / seconds,
                "wake_p50_ms": quantile(times_ms, 0.5),
                "wake_p95_ms": quantile(times_ms, 0.95),
            }
        )


if __name__ == "__main__":
    given = phase_arguments()
    asyncio.run({"fill": fill, "measure": measure}[given.name](given))
