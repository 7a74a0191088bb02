"""Faults: troubles that the shop makes on purpose, always the same ones for a seed and the same requests."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from examples.returns_desk.shop.refused import Refused

KINDS = ("throttle", "error_500_before", "error_500_after", "reset_after", "timeout_after")
"""In the order in which they are drawn: the first two strike before anything is written, the others after it."""

_DRAWS = 2**64


@dataclass
class Faults:
    """Which writes are struck. A request is known by its key, else by its path, and by how often it came before."""

    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    delay_ms: int = 0
    sells_out: frozenset[str] = frozenset()
    """Orders whose items other customers buy up as soon as a label to send them back is made."""
    requests: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)

    def draw(self, name: str) -> str:
        """Return the kind of trouble for the next request of this name, "" for none."""
        if not self.rates:
            return ""
        self.requests[name] += 1
        for kind in KINDS:
            text = f"{self.seed}|{kind}|{name}|{self.requests[name]}"
            drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / _DRAWS
            if drawn < self.rates.get(kind, 0):
                self.struck[kind] += 1
                return kind
        return ""


def read_faults(body: Mapping[str, Any]) -> Faults:
    """Read what POST /admin/faults asks for; an empty body switches all faults off."""
    rates, seed, delay_ms = body.get("rates", {}), body.get("seed", 0), body.get("delay_ms", 0)
    sells_out = body.get("sells_out", [])
    if not isinstance(sells_out, list) or not all(isinstance(name, str) for name in sells_out):
        raise Refused(422, "bad_body", "sells_out should be a list of order numbers.")
    if not isinstance(rates, dict) or not isinstance(seed, int) or not isinstance(delay_ms, int) or delay_ms < 0:
        raise Refused(422, "bad_body", "seed and delay_ms should be whole numbers and rates an object.")
    strange = [kind for kind in rates if kind not in KINDS]
    if strange:
        raise Refused(422, "bad_body", f"There is no fault {strange[0]}; there are {', '.join(KINDS)}.")
    if not all(isinstance(rate, int | float) and 0 <= rate <= 1 for rate in rates.values()):
        raise Refused(422, "bad_body", "A rate should be a number from 0 to 1.")
    chances = {kind: float(rate) for kind, rate in rates.items()}
    return Faults(seed=seed, rates=chances, delay_ms=delay_ms, sells_out=frozenset(sells_out))
