"""Testing: what users' tests and our own stand on. Names are found when they are first used, because pytest looks in here at every start."""

from importlib import import_module
from typing import Any

_HOMES = {
    "AllowAll": "kernos.testing.policy",
    "CheckFailed": "kernos.testing.stage",
    "Exactly": "kernos.testing.fault_plans",
    "Fault": "kernos.testing.fault_plans",
    "JournalSuite": "kernos.testing.conformance.journal",
    "Ledger": "kernos.testing.ledger",
    "ModelSuite": "kernos.testing.conformance.model",
    "Outage": "kernos.testing.fault_plans",
    "Outside": "kernos.testing.conformance.tag",
    "People": "kernos.testing.people",
    "ScriptedModel": "kernos.testing.model",
    "Seeded": "kernos.testing.fault_plans",
    "TablePolicy": "kernos.testing.policy",
    "Trouble": "kernos.testing.fault_plans",
    "ViewsSuite": "kernos.testing.conformance.views",
    "VirtualKernel": "kernos.testing.kernel",
    "check_replay": "kernos.testing.replay",
    "check_tag": "kernos.testing.conformance.tag",
    "check_tool": "kernos.testing.conformance.tool",
    "crash_everywhere": "kernos.testing.crashes",
    "faults": "kernos.testing.fault_plans",
    "faulty_service": "kernos.testing.service",
    "kill_everywhere": "kernos.testing.kills",
    "run_virtually": "kernos.testing.clock",
    "simulate": "kernos.testing.simulation",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Find a public name."""
    home = _HOMES.get(name)
    if home is None:
        message = f"kernos.testing has no {name!r}; it has {', '.join(sorted(_HOMES))}"
        raise AttributeError(message)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
