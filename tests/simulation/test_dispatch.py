"""Dispatch: whose call goes to a model next, on a server whose number of slots nobody tells the kernel."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kernos import Kernel, agent
from kernos.app.run import Run
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.storage import MemoryDisk
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import RunId
from tests.simulation.slots import Call, Job, Slots, do, job_of, worker

ONE = Job(calls=[Call(reads=600, writes=120, then_ms=0)])
clerk = agent("clerk")(do)


async def timed(kernel: Kernel, job: Job, at_s: float = 0.0, **asked: Any) -> float:
    """Let a run do a job; return how long that took, in seconds."""
    await asyncio.sleep(at_s)
    begun = asyncio.get_running_loop().time()
    run: Run[str] = await kernel.start(worker, job, **asked)
    await run.result()
    return asyncio.get_running_loop().time() - begun


def high(times: Sequence[float], share: float = 0.95) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def test_a_call_that_a_person_waits_for_is_quick_while_batch_work_floods_the_slots() -> None:
    async def live(flood: int) -> tuple[list[float], float]:
        model, chance = Slots(8), random.Random(3)
        async with VirtualKernel(worker, models={"default": model}) as kernel:
            begun = asyncio.get_running_loop().time()
            batch = [
                asyncio.create_task(timed(kernel, job_of(12, chance, busy=0.1), profile="batch")) for _ in range(flood)
            ]
            people = [timed(kernel, ONE, at_s=20 + 2.0 * n, profile="interactive") for n in range(40)]
            took = await asyncio.gather(*people)
            await asyncio.gather(*batch)
            return took, model.answered / (asyncio.get_running_loop().time() - begun)

    alone, _ = run_virtually(live(0))
    flooded, rate = run_virtually(live(64))
    assert high(flooded) < 2 * high(alone)
    assert rate > 0.9 * 8 / (0.2 + 1.5 * 112 / 60), "the slots are kept busy all the same"


def test_tenants_have_equal_shares_though_one_of_them_wants_a_hundred_times_as_much() -> None:
    async def live() -> list[float]:
        model, chance = Slots(8), random.Random(4)
        async with VirtualKernel(worker, models={"default": model}) as kernel:
            flood = [asyncio.create_task(timed(kernel, job_of(4, chance, busy=0), tenant="big")) for _ in range(200)]
            small = await asyncio.gather(
                *(timed(kernel, job_of(4, chance, busy=0), tenant=name) for name in ("a", "b") for _ in range(2))
            )
            await asyncio.gather(*flood)
            return small

    assert max(run_virtually(live())) < 40, "the flood takes some two hundred seconds"


def test_runs_that_are_nearly_done_go_first_once_the_kernel_has_learned_how_long_they_take() -> None:
    async def live() -> tuple[float, float]:
        model, chance = Slots(4), random.Random(5)
        async with VirtualKernel(worker, models={"default": model}) as kernel:
            for calls in (2, 16):
                await asyncio.gather(*(timed(kernel, job_of(calls, chance)) for _ in range(6)))
            long = [timed(kernel, job_of(16, chance, busy=0.1)) for _ in range(12)]
            short = [timed(kernel, job_of(2, chance, busy=0.1), at_s=1.0) for _ in range(12)]
            took = await asyncio.gather(*long, *short)
            return sum(took[12:]) / 12, sum(took[:12]) / 12

    short, long = run_virtually(live())
    assert short < long / 4


def test_a_server_that_refuses_what_it_has_no_slot_for_fails_no_run() -> None:
    async def live() -> Slots:
        model, chance = Slots(4, queue=0), random.Random(6)
        async with VirtualKernel(worker, models={"default": model}) as kernel:
            await asyncio.gather(*(timed(kernel, job_of(5, chance, busy=0)) for _ in range(60)))
        return model

    model = run_virtually(live())
    assert model.answered == 300
    assert model.refused < 0.1 * model.answered


def test_what_refusals_leave_behind_does_not_use_attempts_up_over_restarts() -> None:
    class Full:
        metered = True

        def __init__(self, refusals: int) -> None:
            self.model, self.refusals = Slots(1), refusals

        async def complete(self, request: Any) -> Any:
            if self.refusals:
                self.refusals -= 1
                self.model.queue, self.model.count = 0, 0
                return await self.model.complete(request)
            self.model.count = 1
            return await self.model.complete(request)

    async def live(disk: MemoryDisk) -> None:
        for _ in range(5):
            async with VirtualKernel(worker, models={"default": Full(10_000)}, store=disk) as kernel:
                if not await kernel.runs():
                    await kernel.start(worker, ONE)
                await asyncio.sleep(30)
        async with VirtualKernel(worker, models={"default": Full(0)}, store=disk) as kernel:
            (row,) = await kernel.runs()
            await (await kernel.run(str(row["run"]))).result()

    run_virtually(live(VirtualKernel(worker).disk))


def test_a_run_that_is_cancelled_gives_its_turn_and_its_place_back() -> None:
    async def live() -> None:
        model = Slots(1_000)
        async with VirtualKernel(worker, models={"default": model}) as kernel:
            dispatch, job = kernel.engine.shared.dispatch, Job(calls=[Call(reads=600, writes=60_000, then_ms=0)])
            runs = [await kernel.start(worker, job) for _ in range(20)]
            await asyncio.sleep(1)
            under_way, most, waiting = dispatch.figures()["default"]
            assert (under_way, waiting) == (most, 20 - most)
            for run in runs:
                await run.cancel("not wanted")
            await asyncio.sleep(1)
            assert dispatch.figures()["default"] == (0, most, 0)

    run_virtually(live())


def test_places_are_kept_for_runs_that_a_person_waits_for() -> None:
    async def live() -> float:
        async with VirtualKernel(worker, models={"default": Slots(1_000)}, active_max=4) as kernel:
            long = Job(calls=[Call(reads=600, writes=6_000, then_ms=0)])
            batch = [asyncio.create_task(timed(kernel, long, profile="batch")) for _ in range(8)]
            took = await timed(kernel, ONE, at_s=1.0, profile="interactive")
            await asyncio.gather(*batch)
            return took

    assert run_virtually(live()) < 5


async def test_what_runs_of_an_agent_need_is_known_after_a_restart(store: Path) -> None:
    model = Slots(1_000, crowd=0)
    small = Job(calls=[Call(reads=32, writes=1, then_ms=0)] * 2)
    async with Kernel(store, agents=[clerk], models={"default": model}) as kernel:
        for _ in range(4):
            await (await kernel.start(clerk, small)).result()
        (run, *_) = (RunId(str(row["run"])) for row in await kernel.runs())
        size = len((await kernel.engine.state(run)).request().input.text)
        known = kernel.engine.shared.dispatch.left_of("clerk", size, 0)
    async with Kernel(store, agents=[clerk], models={"default": model}) as kernel:
        assert kernel.engine.shared.dispatch.left_of("clerk", size, 0) == known == 4.0


async def test_an_unknown_profile_is_refused_with_those_there_are(store: Path) -> None:
    async with Kernel(store, agents=[clerk], models={"default": Slots(1)}) as kernel:
        with pytest.raises(InvalidInput, match="no profile is named 'fast'") as refused:
            await kernel.start(clerk, ONE, profile="fast")
        assert refused.value.hint == "Name one of interactive, standard, batch."
