"""kernos: the runtime under agents that touch money and customers.

What users import. Names are found when they are first used, so that the command line does not pay for what it does not need.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Kernel": "kernos.app.kernel",
    "Disclosure": "kernos.app.disclosure",
    "Erasure": "kernos.app.erasure",
    "FreeText": "kernos.authoring.labels",
    "Label": "kernos.authoring.labels",
    "Plain": "kernos.authoring.labels",
    "Access": "kernos.app.access",
    "Run": "kernos.app.run",
    "Context": "kernos.execution.context",
    "agent": "kernos.authoring.agent",
    "tool": "kernos.authoring.tool",
    "Undo": "kernos.authoring.undoing",
    "Sweep": "kernos.authoring.undoing",
    "Listed": "kernos.authoring.undoing",
    "listing": "kernos.authoring.undoing",
    "CannotUndo": "kernos.vocabulary.contract",
    "Migration": "kernos.authoring.migration",
    "chain": "kernos.authoring.workflow",
    "Failed": "kernos.vocabulary.contract",
    "ToolCall": "kernos.vocabulary.contract",
    "ToolFailed": "kernos.vocabulary.contract",
    "Found": "kernos.vocabulary.outcome",
    "Budget": "kernos.vocabulary.budget",
    "Cost": "kernos.vocabulary.budget",
    "Limits": "kernos.vocabulary.quantities",
    "Retry": "kernos.vocabulary.quantities",
    "KernosError": "kernos.vocabulary.errors",
    "CallFailed": "kernos.vocabulary.errors",
    "CallRefused": "kernos.vocabulary.errors",
    "RunDidNotComplete": "kernos.vocabulary.errors",
    "Guests": "kernos.app.guest",
    "GuestTool": "kernos.app.guest",
    "Proposal": "kernos.app.guest",
    "visit": "kernos.app.guest_sync",
    "Consequence": "kernos.vocabulary.flow",
    "FlowContract": "kernos.vocabulary.flow",
    "ResultFields": "kernos.vocabulary.flow",
    "Role": "kernos.vocabulary.flow",
    "HttpService": "kernos.adapters.http.client",
    "OpenAIModel": "kernos.adapters.http.model",
    "Reach": "kernos.adapters.http.egress",
    "Web": "kernos.adapters.http.web",
    "RulesModel": "kernos.adapters.rules.model",
    "Secret": "kernos.adapters.secrets.secret",
}

__all__ = [
    "Access",
    "Budget",
    "CallFailed",
    "CallRefused",
    "CannotUndo",
    "Consequence",
    "Context",
    "Cost",
    "Disclosure",
    "Erasure",
    "Failed",
    "FlowContract",
    "Found",
    "FreeText",
    "GuestTool",
    "Guests",
    "HttpService",
    "Kernel",
    "KernosError",
    "Label",
    "Limits",
    "Listed",
    "Migration",
    "OpenAIModel",
    "Plain",
    "Proposal",
    "Reach",
    "ResultFields",
    "Retry",
    "Role",
    "RulesModel",
    "Run",
    "RunDidNotComplete",
    "Secret",
    "Sweep",
    "ToolCall",
    "ToolFailed",
    "Undo",
    "Web",
    "agent",
    "chain",
    "listing",
    "tool",
    "visit",
]


def __getattr__(name: str) -> Any:
    """Find a public name."""
    home = _HOMES.get(name)
    if home is None:
        message = f"kernos has no {name!r}; it has {', '.join(__all__)}"
        raise AttributeError(message)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
