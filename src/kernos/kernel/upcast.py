"""Upcast: old versions of event data brought up to the present one, when they are read."""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From one version's data, decoded, to the next version's."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("run.parked", 1): lambda data: {**data, "wake_at": 0},  # A run that waited for its next attempt stayed in memory.
    ("call.attempt_failed", 1): lambda data: {**data, "usage": None},  # It was not kept before.
}
"""(kind, version) to the step that leads to version + 1. Version 1 is the first of every kind."""


def upcast(kind: str, version: int, newest: int, data: dict[str, Any]) -> dict[str, Any]:
    """Lead `data` from `version` up to `newest`, one step after the other."""
    for step in range(version, newest):
        data = UPCASTERS[kind, step](data)
    return data
