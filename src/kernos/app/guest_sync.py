"""Guests in programs without asyncio: the same calls, each of which waits for its answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from kernos.app.guest import Guest, Guests, GuestTool, Proposal
from kernos.app.kernel import Kernel
from kernos.ports.policy import Policy

Answered = TypeVar("Answered")


class SyncGuest:
    """A guest whose kernel runs in a thread of its own."""

    def __init__(self, guest: Guest, waited: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        """Made by `visit`."""
        self._guest = guest
        self._waited = waited
        self.run_id: str = guest.run.id

    def propose(self, tool: str, arguments: Mapping[str, Any]) -> Proposal:
        """As `Guest.propose`."""
        proposal: Proposal = self._waited(self._guest.propose(tool, arguments))
        return proposal

    def approve(self, *, by: str = "", note: str = "") -> Proposal:
        """As `Guest.approve`."""
        proposal: Proposal = self._waited(self._guest.approve(by=by, note=note))
        return proposal

    def refuse(self, reason: str, *, by: str = "") -> Proposal:
        """As `Guest.refuse`."""
        proposal: Proposal = self._waited(self._guest.refuse(reason, by=by))
        return proposal

    def answered(self) -> Proposal:
        """As `Guest.answered`."""
        proposal: Proposal = self._waited(self._guest.answered())
        return proposal

    def report(self, result: Any = None, *, error: str = "", is_unknown: bool = False) -> None:
        """As `Guest.report`."""
        self._waited(self._guest.report(result, error=error, is_unknown=is_unknown))

    def hear(self, text: str, *, by: str = "") -> None:
        """As `Guest.hear`."""
        self._waited(self._guest.hear(text, by=by))


@contextmanager
def visit(
    path: str | Path,
    words: str,
    tools: Sequence[GuestTool],
    *,
    name: str = "guest",
    policies: str | Path | Policy | None = None,
    by: str = "",
    token: str = "",
) -> Iterator[SyncGuest]:
    """Open a kernel over the store at `path`, and let one guest in with the principal's words; leaving ends its run and closes the kernel.

    Raises what `Guests`, `Kernel` and `Guests.enter` raise.
    """
    kind = Guests(name, tools)
    kernel = Kernel(path, agents=[kind.agent], policies=policies, token=token)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="kernos guest")
    thread.start()

    def waited(work: Coroutine[Any, Any, Answered]) -> Answered:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    stack = AsyncExitStack()
    try:
        guest = waited(stack.enter_async_context(_entered(kernel, kind, words, by)))
        yield SyncGuest(guest, waited)
    finally:
        waited(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@asynccontextmanager
async def _entered(kernel: Kernel, kind: Guests, words: str, by: str) -> AsyncIterator[Guest]:
    async with kernel, kind.enter(kernel, words, by=by) as guest:
        yield guest
