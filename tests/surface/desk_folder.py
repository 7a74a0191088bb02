"""A folder as a user has it: kernos.toml, a module of agents, a policy; and the real command, in this process or another."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from kernos.app.cli import main

AGENTS = '''
"""Agents of a test."""

from pydantic import BaseModel

from kernos import Context, Failed, ToolCall, ToolFailed, agent, tool


class Claim(BaseModel):
    order: str
    amount_cents: int = 100


class Refund(BaseModel):
    order: str
    amount_cents: int


@tool("shop.refund", effect="idempotent")
def refund(request: Refund, call: ToolCall) -> str:
    return f"R-{request.order}-{request.amount_cents}"


@tool("shop.mail", effect="once")
def mail(request: Refund, call: ToolCall) -> str:
    raise ToolFailed.unknown("the line broke")


@agent("desk", tools=[refund], version="3")
async def desk(ctx: Context, request: Claim) -> str:
    """Give money back."""
    verdict = await ctx.model("judge", request, str)
    await ctx.checkpoint("judged", f"the claim is {verdict}")
    return await ctx.call(refund, Refund(order=request.order, amount_cents=request.amount_cents))


@agent("boss")
async def boss(ctx: Context, request: Claim) -> str:
    return await ctx.run(desk, request)


@agent("mailer", tools=[mail])
async def mailer(ctx: Context, request: Claim) -> str:
    return await ctx.call(mail, Refund(order=request.order, amount_cents=1))


@agent("asker")
async def asker(ctx: Context, request: str) -> str:
    return await ctx.ask("lead", request, ["yes", "no"])


@agent("listener")
async def listener(ctx: Context, request: str) -> int:
    return await ctx.wait(request, int)


@agent("sleeper")
async def sleeper(ctx: Context, seconds: float) -> str:
    await ctx.sleep(seconds)
    return "rested"


@agent("unclear", failures=["unclear"])
async def unclear(ctx: Context, request: str) -> str:
    raise Failed("unclear", "which order?")


RULES = {"judge": lambda value: "fair"}
'''

OTHER = '''
"""Another agent."""

from kernos import Context, agent


@agent("idle")
async def idle(ctx: Context, request: None) -> str:
    return "nothing to do"
'''

POLICY = """
@id("models") permit(principal, action, resource is Model);
@id("refunds") permit(principal, action == Action::"invoke", resource is shop::refund);
@id("small") permit(principal, action == Action::"unattended", resource is shop::refund) when { resource.amount_cents <= 5000 };
@id("cap") forbid(principal, action, resource is shop::refund) when { resource.amount_cents > 100000 };
@id("mails") permit(principal, action, resource is shop::mail);
"""

KERNOS = Path(sys.executable).with_name("kernos")
ENDS_S_MAX = 60
"""Far above what a process needs; one that hangs is killed and its test fails."""


@dataclass
class Answered:
    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Folder:
    def __init__(self, path: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.store = path / "desk.kernos"
        self.agents = f"desk_{uuid4().hex}"
        self.other = f"other_{uuid4().hex}"
        self._capture = capture
        (path / f"{self.agents}.py").write_text(AGENTS)
        (path / f"{self.other}.py").write_text(OTHER)
        (path / "policies").mkdir()
        (path / "policies" / "desk.cedar").write_text(POLICY)
        self.config = path / "kernos.toml"
        self.config.write_text(
            f'[kernos]\nstore = "desk.kernos"\nagents = ["{self.agents}"]\npolicies = "policies"\n'
            f'[models.default]\nkind = "rules"\nrules = "{self.agents}:RULES"\n'
        )

    def kernos(self, *arguments: str) -> Answered:
        """Give a command in this process."""
        config = () if "--config" in arguments else ("--config", str(self.config))
        return self.bare(*arguments, *config)

    def bare(self, *arguments: str) -> Answered:
        """Give a command that looks at no settings."""
        self._capture.readouterr()
        code = main(list(arguments))
        captured = self._capture.readouterr()
        return Answered(code, captured.out, captured.err)

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        """Give a command in a process of its own, in this folder."""
        return subprocess.Popen(
            [KERNOS, *arguments], cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1,
        )  # fmt: skip

    @contextmanager
    def dev(self) -> Iterator["Reader"]:
        """Have `kernos dev` run beside the test."""
        with self.process("dev") as process:
            reader = Reader(process)
            try:
                reader.until("Ctrl-C ends it")
                yield reader
            finally:
                reader.end()

    def run_id(self, *arguments: str) -> str:
        """Start a run that nobody works on yet, and return its id."""
        answered = self.kernos("run", *arguments, "--detach")
        assert answered.code == 0, answered.all
        return answered.out.strip()


class Reader:
    """Reads a process's output line by line; a process that hangs is killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._timer = threading.Timer(ENDS_S_MAX, process.kill)
        self._timer.start()

    def until(self, text: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}:\n{''.join(self.lines)}")

    def rest(self) -> str:
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        self.process.wait()
        return "".join(self.lines)

    def end(self) -> None:
        self._timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
