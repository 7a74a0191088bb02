"""Profile: the service and cost class of a workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Latency(StrEnum):
    """How soon somebody wants it: `interactive`, a person waits; `standard`, soon; `batch`, whenever there is room."""

    INTERACTIVE = "interactive"
    STANDARD = "standard"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Profile:
    """What runs of a workflow are worth."""

    latency: Latency = Latency.STANDARD


PROFILES: Mapping[str, Profile] = MappingProxyType({latency.value: Profile(latency) for latency in Latency})
"""Those that every kernel knows, by name."""

STANDARD = PROFILES["standard"]
