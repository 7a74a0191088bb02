"""Plugin: what pytest gets from kernos by itself: fixtures, and async tests without another plugin.

Nothing heavy is imported until a test asks for it. An async test is run here, in virtual time, when it uses the fixture `virtual_kernel` or is marked
`virtual`; the suites of `kernos.testing.conformance` are run here in real time. All other tests are left to whatever runs them.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any

import pytest

import kernos.testing as testing  # noqa: PLR0402 - the package's own front door is for users

_FIXTURE = "virtual_kernel"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "virtual: an async test in virtual time; sleeping takes none")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> Generator[None, Any, Any]:
    """Make plain tests of the async ones that belong here, before other plugins look at them."""
    made = yield
    for item in made if isinstance(made, list) else [made]:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            if _FIXTURE in item.fixturenames or item.get_closest_marker("virtual") is not None:
                item.obj = _plain(item.obj, testing.run_virtually)
            elif item.cls is not None and getattr(item.cls, "kernos_suite", False):
                item.obj = _plain(item.obj, asyncio.run)
    return made


def _plain(test: Callable[..., Any], run: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(test)
    def plain(*args: Any, **fixtures: Any) -> None:
        run(test(*args, **fixtures))

    return plain


@pytest.fixture
def virtual_kernel() -> "type[testing.VirtualKernel]":
    """Give what opens kernels in virtual time, to be entered with `async with`."""
    return testing.VirtualKernel


@pytest.fixture
def scripted_model() -> "type[testing.ScriptedModel]":
    """Give what makes models that answer by a script: `scripted_model([reply, ...])`."""
    return testing.ScriptedModel


@pytest.fixture
def ledger() -> "testing.Ledger":
    """Give an empty ledger for what happens outside."""
    return testing.Ledger()
