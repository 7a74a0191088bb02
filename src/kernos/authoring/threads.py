"""Threads: where plain functions run, so that none holds the event loop up; for tools, look-ups, and lists of services.

Side by side: up to THREADS_MAX calls of all kernels of a process; further ones queue, in order. Bounded: by that, and the queue by the calls that
kernels have open: one that is given up leaves it. Nobody can stop a thread: one whose time is over runs on, keeps its place among the others, and
is not waited for when a kernel closes or the process ends (they are daemon threads). Survives a crash: nothing.
"""

import asyncio
import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from threading import Condition, Lock, Thread
from typing import Any

THREADS_MAX = 64
"""Plain functions at once: they mostly wait for services, which take some tens of calls of one client; more is for coroutines."""


class InThread:
    """One call of a plain function in a thread."""

    def __init__(self, call: Callable[[], Any]) -> None:
        """Take what to call."""
        self._call = call
        self._context = copy_context()
        self._turn = [True]  # Taken out once: by the thread that begins, or by whoever gives the call up.

    async def made(self) -> Any:
        """Make the call and return its result, or raise its error. When the time is over before a thread was free, it is never made."""
        return await asyncio.get_running_loop().run_in_executor(_THREADS, self._begin)

    def give_up(self) -> bool:
        """Say that the call shall not begin any more; return whether that was in time."""
        return self._take_turn()

    def _begin(self) -> Any:
        return self._context.run(self._call) if self._take_turn() else None

    def _take_turn(self) -> bool:
        try:
            return self._turn.pop()
        except IndexError:
            return False


class UnderWay:
    """Keys of the calls of one tool that are under way, also when nobody waits for them any more."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = Lock()
        self._calls: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        """Tell whether a call with this key may still do something."""
        with self._lock:
            return key in self._calls

    @contextmanager
    def during(self, key: str) -> Iterator[None]:
        """Count a call as under way until the block ends."""
        with self._lock:
            self._calls[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls[key] -= 1
                if not self._calls[key]:
                    del self._calls[key]


class _Threads:
    """Daemon threads, made when they are needed. The standard library's pools are waited for at the end of the process."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: OrderedDict[Future[Any], Callable[[], Any]] = OrderedDict()
        self._idle = 0
        self._count = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in the next thread that is free."""
        future: Future[Any] = Future()
        future.add_done_callback(self._forget)
        with self._changed:
            self._waiting[future] = partial(function, *args, **kwargs)
            if len(self._waiting) <= self._idle:
                self._changed.notify()
            elif self._count < THREADS_MAX:
                self._count += 1
                Thread(target=self._work, name=f"kernos-tool-{self._count}", daemon=True).start()
        return future

    def _forget(self, future: Future[Any]) -> None:
        with self._changed:
            self._waiting.pop(future, None)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._idle += 1
                    self._changed.wait()
                    self._idle -= 1
                future, call = self._waiting.popitem(last=False)
            _make(future, call)
            del future, call  # Results need not live until the next call.


def _make(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - the outermost loop of a thread: whoever waits gets it, whatever it is
        future.set_exception(error)
    else:
        future.set_result(result)


_THREADS: Any = _Threads()  # It has the one method that an event loop asks of a pool.
os.register_at_fork(after_in_child=_THREADS.__init__)  # Threads stay with the parent.
