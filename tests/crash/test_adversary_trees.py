"""Trees of runs, cancelled or past their deadline while they act, in processes that are killed with SIGKILL: all ends, and the books agree.

A world is a folder with a store and a service's list of effects, one a line. Each life is a forked process; all but the last kill themselves at
some moment. The last one settles what is in doubt from the list, and then looks whether the journal says what the list says.
"""

import asyncio
import json
import os
import random
import signal
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Failed, Found, Kernel, Retry, ToolCall, ToolFailed, Undo, agent, tool
from kernos.control.codec import decode_entry
from kernos.ports.journal import Row
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import KernosError
from kernos.vocabulary.events import ActionIntended, RunCancelled, RunCompleted, RunExpired, RunFailed
from kernos.vocabulary.ids import RunId

ALLOW = "permit(principal, action, resource);"
FAST = Retry(attempts=4, first_delay_ms=5, delay_max_ms=20)
SEEDS = range(10)
LIVES_MAX = 3
DEPTH = 2
LIFE_S = 0.7
LAST_LIFE_S = 25.0
WAIT_S = 0.03
EFFECTS = ("idempotent", "verifiable", "once")
SETTLED = {"performed", "failed", "in_doubt", "unknown", "not_done"}
ENDS = (RunCompleted, RunFailed, RunCancelled, RunExpired)


class Deed(BaseModel):
    name: str


class Node(BaseModel):
    path: str
    depth: int


def pause(seconds: float) -> asyncio.Future[None]:
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end() -> None:
        if not over.done():
            over.set_result(None)

    asyncio.get_running_loop().call_later(seconds, end)
    return over


def share(*of: object) -> float:
    """Return a number below 1 that belongs to these words."""
    return int.from_bytes(sha256(repr(of).encode()).digest()[:4], "big") / (1 << 32)


class Service:
    """Does what it is asked, in a file; loses answers, refuses, and is busy as chance has it."""

    def __init__(self, list_file: Path, chance: random.Random) -> None:
        self.file = list_file
        self.chance = chance

    def keys(self) -> Counter[str]:
        return Counter(self.file.read_text(encoding="utf-8").split()) if self.file.exists() else Counter()

    async def act(self, call: ToolCall) -> str:
        await pause(self.chance.random() * 0.05)
        mishap = self.chance.random()
        if mishap < 0.05:
            raise ToolFailed.unknown("lost on the way")
        if mishap < 0.15 and not self.keys()[call.key]:
            raise ToolFailed.retryable("busy") if mishap < 0.1 else ToolFailed.final("no")
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{call.key}\n")
        await pause(self.chance.random() * 0.05)
        if mishap > 0.95:
            raise ToolFailed.unknown("the answer was lost")
        return call.key

    async def look(self, asked: object, call: ToolCall) -> Found:
        await pause(self.chance.random() * 0.03)
        if self.chance.random() < 0.1:
            raise ToolFailed.retryable("busy")
        done = bool(self.keys()[call.key])
        return Found(done, "its list", call.key if done else None)

    def tools(self, effect: str) -> ToolContract[Deed, str]:
        look: Mapping[str, Any] = {"look_up": self.look} if effect == "verifiable" else {}

        @tool(f"undo.{effect}", effect=effect, retry=FAST, **look)
        async def undo(deed: Deed, call: ToolCall) -> str:
            return await self.act(call)

        @tool(f"do.{effect}", effect=effect, retry=FAST, compensate=Undo(undo, lambda deed, _: deed), **look)
        async def do(deed: Deed, call: ToolCall) -> str:
            return await self.act(call)

        return do


def tree(seed: int, service: Service) -> list[AgentContract[Node, str]]:
    """Return an agent for each depth, the leaves first; which of them take back when they are stopped belongs to the seed."""
    tools = [service.tools(effect) for effect in EFFECTS]
    agents: list[AgentContract[Node, str]] = []
    for level in range(DEPTH + 1):
        remedies = {"*": "compensate"} if share(seed, level) < 0.6 else {}

        @agent(f"level{level}", tools=tools, failures=["bad"], on_failure=remedies)
        async def node(ctx: Context, asked: Node) -> str:
            async def acts(c: Context, branch: str) -> None:
                for number in range(int(share(seed, asked.path, branch) * 4)):
                    used = tools[int(share(seed, asked.path, branch, number) * len(tools))]
                    try:
                        await c.call(used, Deed(name=f"{asked.path}{branch}{number}"))
                    except CallFailed:
                        pass  # The service said no.

            async def child(c: Context, letter: str) -> None:
                try:
                    await c.run(agents[asked.depth - 1], Node(path=asked.path + letter, depth=asked.depth - 1))
                except CallFailed:
                    if share(seed, asked.path, "lets it pass") < 0.3:
                        raise

            await acts(ctx, "a")
            if asked.depth:
                take = 1 if share(seed, asked.path, "take") < 0.3 else None
                await ctx.fork(lambda c: child(c, "x"), lambda c: child(c, "y"), lambda c: acts(c, "b"), take=take)
            if share(seed, asked.path, "fails") < 0.15:
                raise Failed("bad", "bad luck")
            return asked.path

        agents.append(node)
    return agents


async def live(folder: Path, seed: int, life: int, *, is_last: bool) -> list[str]:
    """Start the tree or go on with it, cancel something perhaps; return what is wrong in the end."""
    chance = random.Random(f"{seed}/{life}")
    service = Service(folder / "list", chance)
    agents = tree(seed, service)
    how = ("cancel", "deadline", "both", "none")[seed % 4]
    deadline_ms = int(100 + share(seed, "deadline") * 600) if how in ("deadline", "both") else 0
    async with Kernel(folder / "store.kernos", agents=agents, policies=ALLOW) as kernel:
        if not is_last:
            asyncio.get_running_loop().call_later(chance.random() * LIFE_S, os.kill, os.getpid(), signal.SIGKILL)
        await kernel.start(agents[-1], Node(path="r", depth=DEPTH), key="root", deadline_ms=deadline_ms)
        if how in ("cancel", "both"):
            await pause(chance.random() * LIFE_S)
            going_on = [row for row in await kernel.runs() if not row["ended_at"]]
            for row in going_on[-1:] if chance.random() < 0.5 else going_on[:1]:
                await kernel.cancel(str(row["run"]), "never mind")
        while any(not row["ended_at"] for row in await kernel.runs()):
            await pause(WAIT_S)
            for row in await kernel.actions(status="in_doubt"):
                await settle(kernel, row, service)
        return await differences(kernel, service)


async def settle(kernel: Kernel, action: Row, service: Service) -> None:
    key = await key_of(kernel, action)
    done = bool(service.keys()[key])
    try:
        await kernel.settle(
            f"{action['run']}.{action['step']}",
            "done" if done else "not_done",
            "its list",
            result=key if done else None,
        )
    except KernosError:
        pass  # It went on meanwhile.


async def key_of(kernel: Kernel, action: Row) -> str:
    events = [decode_entry(entry).data for entry in await kernel.journal.read(RunId(str(action["run"])))]
    return [data.key for data in events if isinstance(data, ActionIntended) and data.step == action["step"]][-1]


async def differences(kernel: Kernel, service: Service) -> list[str]:
    """Compare the journal with the service's list, and what ended runs say with what was done."""
    await kernel.engine.settle()
    runs, actions, counts = await kernel.runs(), await kernel.actions(limit=10_000), service.keys()
    wrong = [f"waits: {dict(row)}" for row in await kernel.waiting()]
    wrong += [f"owed: {dict(row)}" for row in await kernel.journal.select("deliveries", {}) if row["owed"]]
    keys = [await key_of(kernel, row) for row in actions]
    performed = {key for key, row in zip(keys, actions, strict=True) if row["status"] == "performed"}
    for key, row in zip(keys, actions, strict=True):
        never = row["status"] in ("failed", "not_done") and key not in performed
        if (
            row["status"] not in SETTLED
            or (row["status"] == "performed" and not counts[key])
            or (never and counts[key])
            or (row["effect"] != "idempotent" and counts[key] > 1)
        ):
            wrong.append(f"{counts[key]} times in the list: {dict(row)}")
    undone = {str(row["undoes"]) for row in actions if row["undoes"] and row["status"] == "performed"}
    for row in runs:
        wrong += await untrue(kernel, RunId(str(row["run"])), actions, undone)
    return wrong


async def untrue(kernel: Kernel, run: RunId, actions: Sequence[Row], undone: set[str]) -> list[str]:
    """Say what is not as the end of a run says it is."""
    events = [decode_entry(entry).data for entry in await kernel.journal.read(run)]
    ends = [data for data in events if isinstance(data, ENDS)]
    taken_back = getattr(ends[-1], "taken_back", None) if len(ends) == 1 else None
    if taken_back is None:
        return [] if len(ends) == 1 else [f"{run} ended {len(ends)} times"]
    report = json.loads(taken_back.text)
    named = {*report["undone"], *(one["key"] for one in report["standing"])}
    tree_of_runs = await kernel.planner.histories(run)
    silent = [
        f"{row['run']}.{row['step']}"
        for row in actions
        if row["run"] in tree_of_runs and not row["undoes"] and row["status"] == "performed"
    ]
    return [
        *(f"{run} says that {key} is undone" for key in report["undone"] if key not in undone),
        *(f"{run} says nothing of {key}" for key in silent if key not in named | undone),
    ]


def fork(folder: Path, seed: int, life: int, *, is_last: bool) -> int:
    """Live once in a process of its own; return the signal that ended it, 0 for none."""
    child = os.fork()
    if child == 0:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)  # The test's own limit belongs to the parent.
            wrong = asyncio.run(asyncio.wait_for(live(folder, seed, life, is_last=is_last), LAST_LIFE_S))
            (folder / "wrong").write_text(json.dumps(wrong), encoding="utf-8")
        except BaseException:  # noqa: BLE001 - a fork never returns into its caller's test
            traceback.print_exc()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.slow
def test_trees_that_are_stopped_and_killed_while_they_act_end_and_tell_the_truth(tmp_path: Path) -> None:
    kills = 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        lives = 1 + seed % LIVES_MAX
        for life in range(lives):
            kills += fork(folder, seed, life, is_last=False) == signal.SIGKILL
        (folder / "wrong").unlink(missing_ok=True)
        fork(folder, seed, lives, is_last=True)
        assert (folder / "wrong").exists(), f"seed {seed}: the last life did not end; see its output"
        assert json.loads((folder / "wrong").read_text(encoding="utf-8")) == [], f"seed {seed}"
    assert kills >= len(SEEDS) // 2  # Chance may let a life end before its moment to be killed.
