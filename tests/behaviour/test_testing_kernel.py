"""The kernel for tests: virtual time, a store in memory or a file, stand-ins; and what pytest gets from the plugin."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from kernos import Context, Retry, RunDidNotComplete, ToolCall, agent, tool
from kernos.testing import Ledger, ScriptedModel, VirtualKernel, faults, run_virtually

pytestmark = pytest.mark.slow

MONTH_S = 30 * 86_400 - 60


class Refund(BaseModel):
    order: str


@tool("shop.refund", effect="idempotent", retry=Retry(attempts=3))
def refund(request: Refund, call: ToolCall) -> str:
    return f"R-{request.order}"


@agent(tools=[refund])
async def desk(ctx: Context, order: str) -> str:
    await ctx.sleep(MONTH_S)
    reading = await ctx.model("read", order, str)
    paid: str = await ctx.call(refund, Refund(order=order))
    return f"{reading} {paid}"


async def test_a_month_takes_no_time_and_nothing_has_to_be_allowed(virtual_kernel: type[VirtualKernel]) -> None:
    async with virtual_kernel(desk, replies=["broken"]) as kernel:
        assert await kernel.finish(desk, "A1") == "broken R-A1"
        assert asyncio.get_running_loop().time() >= MONTH_S
        assert [request.task for request in kernel.model.requests] == ["read"]


async def test_a_store_on_disk_keeps_the_same_journal(tmp_path: Path, virtual_kernel: type[VirtualKernel]) -> None:
    path = tmp_path / "desk.kernos"
    async with virtual_kernel(desk, replies=["broken"], store=path) as kernel:
        run = await kernel.start(desk, "A1", key="one")
        assert await run.result() == "broken R-A1"
    async with virtual_kernel(desk, store=path) as kernel:
        assert await kernel.finish(desk, "A1", key="one") == "broken R-A1"
        assert (await kernel.journal.verify(lambda done, of_all: None)).findings == ()


@pytest.mark.virtual
async def test_a_stand_in_acts_in_the_place_of_the_tool() -> None:
    ledger = Ledger()
    async with VirtualKernel(desk, replies=[""], tools=[ledger.fake(refund, "paid")]) as kernel:
        assert await kernel.finish(desk, "A1") == " paid"
    assert ledger.times("shop.refund") == 1
    assert [str(line) for line in ledger.lines] == ['shop.refund {"order":"A1"}']


def test_a_whole_life_repeats_to_the_byte() -> None:
    async def head(seed: int) -> bytes:
        async with VirtualKernel(desk, replies=[""], seed=seed) as kernel:
            await kernel.finish(desk, "A1")
            found = await kernel.journal.head()
            assert found is not None
            return found.root

    assert run_virtually(head(1)) == run_virtually(head(1)) != run_virtually(head(2))


async def test_attempts_run_out_in_virtual_time(virtual_kernel: type[VirtualKernel]) -> None:
    down = faults(refund, {1: "down", 2: "down", 3: "down"})
    async with virtual_kernel(desk, replies=[""], tools=[down]) as kernel:
        with pytest.raises(RunDidNotComplete) as error:
            await kernel.finish(desk, "A1")
    assert error.value.mode == "exhausted"


class TestInAClass:
    async def test_an_async_method_runs_in_virtual_time_too(self, virtual_kernel: type[VirtualKernel]) -> None:
        async with virtual_kernel(desk, replies=["x"]) as kernel:
            assert await kernel.finish(desk, "A1") == "x R-A1"


async def test_models_answer_what_the_script_says(scripted_model: type[ScriptedModel]) -> None:
    assert scripted_model([1]).requests == []


TESTS = """
import pytest
from kernos import Context, agent

@agent()
async def sleeper(ctx: Context, seconds: int) -> str:
    await ctx.sleep(seconds)
    return "rested"

async def test_with_the_fixture(virtual_kernel):
    async with virtual_kernel(sleeper) as kernel:
        assert await kernel.finish(sleeper, 86_400) == "rested"

class TestOfAClass:
    @pytest.mark.virtual
    @pytest.mark.parametrize("seconds", [1, 2])
    async def test_with_the_marker(self, seconds):
        from kernos.testing import VirtualKernel
        async with VirtualKernel(sleeper) as kernel:
            assert await kernel.finish(sleeper, seconds) == "rested"

async def test_that_fails(virtual_kernel):
    async with virtual_kernel(sleeper) as kernel:
        assert await kernel.finish(sleeper, 1) == "tired"
"""


@pytest.mark.parametrize("options", [["-p", "no:asyncio"], ["-o", "asyncio_mode=auto"], ["-o", "asyncio_mode=strict"]])
def test_async_tests_run_with_and_without_another_plugin(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "3 passed" in done.stdout, done.stdout
    assert "1 failed" in done.stdout
    assert "assert 'rested' == 'tired'" in done.stdout


def test_the_plugin_imports_nothing_heavy_until_a_test_asks() -> None:
    code = (
        "import sys, kernos.testing.plugin; print([n for n in ('pydantic', 'apsw', 'aiohttp', 'cedarpy', 'msgspec', "
        "'cryptography', 'kernos.app.kernel') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
