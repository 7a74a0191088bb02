"""Upcast: old versions of event data brought up to the present one, when they are read."""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From one version's data, decoded, to the next version's."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(kind, version) to the step that leads to version + 1. Version 1 is the first of every kind so far."""


def upcast(kind: str, version: int, newest: int, data: dict[str, Any]) -> dict[str, Any]:
    """Lead `data` from `version` up to `newest`, one step after the other."""
    for step in range(version, newest):
        data = UPCASTERS[kind, step](data)
    return data
