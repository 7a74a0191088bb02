"""Carrying: which labelled values a call would take out of the kernel, and where they stand in it."""

from collections import Counter
from typing import Any

from msgspec import json

from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.flow import Role
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import Carried, Handle, Mark, handle_of, handles_in


def carried_by(contract: ToolContract[Any, Any], args: Json) -> tuple[Carried, ...]:
    """Return the labelled values in a tool's arguments, each kind of place once."""
    found = Counter(handles_in(args.text))
    if not found:
        return ()
    value = json.decode(args.text)
    declared: Counter[Handle] = Counter()

    def look(mark: Mark, _: object, text: str) -> str:
        handle = handle_of(text)
        if handle is not None and handle.label == mark.label:
            declared[handle] += 1
        return text

    if contract.input.plan is not None:
        contract.input.plan.apply(value, look)
    owners = _owners(contract, value)
    return tuple(
        sorted(
            {
                Carried(handle.label, times <= declared[handle], owners == {handle.key})
                for handle, times in found.items()
            },
            key=lambda one: (one.label, one.is_declared, one.is_own),
        )
    )


def labels_in(args: Json) -> list[str]:
    """Return the labels in a call's arguments, sorted, each once."""
    return sorted({handle.label for handle in handles_in(args.text)})


def _owners(contract: ToolContract[Any, Any], value: Any) -> set[str]:
    """Return whose the destinations are: the keys of their handles, and an empty one for a destination that is no handle."""
    roles = contract.flow.roles if contract.flow is not None else {}
    owners: set[str] = set()
    for path in (path for path, role in roles.items() if role is Role.DESTINATION):
        for text in _texts(_at(value, path.split("."))):
            handle = handle_of(text)
            owners.add(handle.key if handle is not None else "")
    return owners


def _at(value: Any, path: list[str]) -> Any:
    """Return what stands at a path; in a list, what stands there in each of its items."""
    if not path:
        return value
    if isinstance(value, list):
        return [_at(item, path) for item in value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, dict) else None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)]
