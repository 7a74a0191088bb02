"""Kernel for tests: the whole kernel in virtual time over a store in memory or a temporary one, with stand-ins for tools.

In memory everything happens in the event loop, so a seed repeats a run to the byte. Over a file, time stands still while the disk works.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.joserfc.tokens import JoseTokens
from kernos.adapters.sqlite.groups import Group
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.kernel import Kernel
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.ports.approvals import ApprovalTokens
from kernos.ports.clock import Clock
from kernos.ports.journal import Commit, Store
from kernos.ports.model import Model
from kernos.ports.plane import Worker
from kernos.ports.policy import Policy
from kernos.ports.vault import Vault
from kernos.testing.clock import SeededChance, VirtualClock, VirtualLoop
from kernos.testing.model import ScriptedModel
from kernos.testing.points import PointedModel, PointedWorker, Points
from kernos.testing.policy import AllowAll
from kernos.testing.storage import KEY, MemoryDisk, MemoryJournal
from kernos.vocabulary.contract import AgentContract, ModelReply, ToolContract
from kernos.vocabulary.errors import KernelStopped, KernosError
from kernos.vocabulary.journal import Append, Entry

In = TypeVar("In")
Out = TypeVar("Out")


class VirtualKernel(Kernel):
    """A kernel in virtual time. Everything of `kernos.Kernel` works, and the store, the clock and the policy need nothing said."""

    def __init__(
        self,
        *agents: AgentContract[Any, Any],
        tools: Sequence[ToolContract[Any, Any]] = (),
        models: Mapping[str, Model] | None = None,
        replies: Sequence[object] | None = None,
        policies: str | Path | Policy | None = None,
        store: MemoryDisk | Path | None = None,
        seed: int = 0,
        points: Points | None = None,
        group_delay_ms: Callable[[], int] = lambda: 0,
        **more: Any,
    ) -> None:
        """Take the agents, with those they ask; `async with` opens the kernel.

        `tools`: stand-ins, which act in place of the tools of their names (`faults(...)`, `Ledger.fake(...)`). `replies`: what the model
        `default` answers, in order; it is then `kernel.model`. `policies`: as for `kernos.Kernel`; without, everything is allowed.
        `store`: a path for a real store, or what another kernel left in memory. `seed`: of chance. `points`: where it dies. `group_delay_ms`: asked how long each commit group
        takes to become durable, in memory. `more`: as for `kernos.Kernel`.
        """
        self.model = ScriptedModel(replies or ())
        given = dict(models or {})
        if replies is not None:
            given["default"] = self.model
        self.disk = store if isinstance(store, MemoryDisk) else MemoryDisk(TABLES)
        self.points = points or Points(counts=False)
        """The moments of this kernel's life."""
        self.group_delay = group_delay_ms
        self.remembered: dict[bytes, ModelReply] | None = None
        """What models answered before; None: they are asked each time."""
        self._change: asyncio.Future[None] | None = None
        self._stand_ins = {tool.name: tool for tool in tools}
        self._in_memory = not isinstance(store, Path)
        path = store if isinstance(store, Path) else Path("in memory")
        chance = SeededChance(seed)
        super().__init__(
            path,
            agents=agents,
            models=given,
            policies=policies or AllowAll(),
            clock=VirtualClock(),
            chance=chance,
            **more,
        )

    @property
    def clock(self) -> Clock:
        """The clock that the kernel goes by."""
        return self._clock

    def next_change(self) -> asyncio.Future[None]:
        """Return a future that is done once something more has become durable."""
        if self._change is None:
            self._change = asyncio.get_running_loop().create_future()
        return self._change

    def tell_change(self) -> None:
        """Take notice that something became durable."""
        change, self._change = self._change, None
        if change is not None and not change.done():
            change.set_result(None)

    async def finish(self, agent: AgentContract[In, Out], value: In, **more: Any) -> Out:
        """Start an agent, wait for its end and return its output. Raises what `kernos.Run.result` raises; `more`: as for `start`."""
        run = await self.start(agent, value, **more)
        return await run.result()

    async def die(self) -> None:
        """End as a process that is killed: what is not durable is gone, and every other task of this loop ends where it stands."""
        assert isinstance(self.journal, MemoryJournal)
        self.journal.crash()
        self.engine.halt(KernelStopped("the process died"))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        while left:  # Code that catches its cancellation is cancelled again.
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=1)

    def _open_store(self) -> Store:
        if self._in_memory:
            journal = _PointedJournal(self)
            self.points.on_death.append(journal.crash)
            return journal
        return _PatientJournal(self.path, self._clock, self.tell_change)  # Time stands still while the disk works.

    def _open_tokens(self) -> ApprovalTokens:
        return JoseTokens(KEY) if self._in_memory else super()._open_tokens()

    def _open_vault(self) -> Vault:
        return self.disk.vault if self._in_memory else super()._open_vault()

    def _try_lock(self) -> WorkerLock | None:
        return _NoLock(-1) if self._in_memory else super()._try_lock()

    def _new_worker(self) -> Worker:
        models = {name: PointedModel(model, name, self.points, self.remembered) for name, model in self._models.items()}
        return PointedWorker(models, codec_of, self._stand_ins, self.points, self.vault)


class _NoLock(WorkerLock):
    """The right to run agents over a store that nobody else can see."""

    def release(self) -> None:
        """Do nothing."""


class _PointedJournal(MemoryJournal):
    """A journal in memory with a point before and after each commit group."""

    def __init__(self, kernel: VirtualKernel) -> None:
        super().__init__(kernel.disk, kernel.clock, kernel.group_delay)
        self._points = kernel.points
        self._tell_change = kernel.tell_change

    def _write(self, group: Group) -> None:
        about = _kinds(group) if self._points.keeps and self._points.counts else ""
        if not self._points.reach("before group", about):
            super()._write(group)
            self._tell_change()
            self._points.reach("after group", about)


def _kinds(group: Group) -> str:
    """Name the events of a group."""
    appends = [append for pending in group.pending for append in pending.appends]
    entries = [Entry(append.run, n, body) for append in appends for n, body in enumerate(append.bodies, append.first)]
    return ", ".join(type(decode_entry(entry).data).__name__ for entry in entries)


class _PatientJournal(SqliteJournal):
    """A store on disk for which virtual time stands still."""

    def __init__(self, path: Path, clock: Clock, tell_change: Callable[[], None]) -> None:
        super().__init__(path, TABLES, clock, open_key=FileSigner.at)
        self._tell_change = tell_change
        self._waits: set[asyncio.Task[None]] = set()

    def append(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None = None) -> Commit:
        """Put entries in, and let no time pass until they are durable."""
        commit = super().append(appends, on_failure)
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            self._waits.add(waiting := loop.create_task(self._wait_for(commit, loop)))
            waiting.add_done_callback(self._waits.discard)
        return commit

    async def _wait_for(self, commit: Commit, loop: VirtualLoop) -> None:
        with loop.outside():
            try:
                await commit.durable()
            except KernosError:
                pass  # Whoever appended it is told.
        self._tell_change()

    async def close(self) -> None:
        """Close, however long that really takes."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            with loop.outside():
                await super().close()
        else:
            await super().close()
