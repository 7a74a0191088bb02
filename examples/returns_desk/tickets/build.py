"""Build `tickets.jsonl` and `expected.jsonl` from the written texts and the generated shop: `python -m examples.returns_desk.tickets.build`."""

import json
from pathlib import Path
from typing import Any

from examples.returns_desk.tickets import texts_money, texts_other
from examples.returns_desk.tickets.chosen import Chosen

HERE = Path(__file__).parent
SMALL_CENTS_MAX = 5000
_FOREIGN = "foreign"
_NONE = "none"
_STRANGER = ("stranger@mail.example", "Sam Stranger")
_ACTIONS = {
    "refund": ["refund"], "partial_refund": ["refund"], "exchange": ["exchange"], "return_label": ["return"],
    "reroute": ["reroute"], "account_change": ["account"],
}  # fmt: skip


def build() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return all tickets, each with how it should end."""
    chosen = Chosen()
    built = []
    for index, (kind, outcome, person, subject, text) in enumerate((*texts_money.TEXTS, *texts_other.TEXTS)):
        wanted = "small" if kind == _FOREIGN else kind
        order = None if kind == _NONE else chosen.next(wanted, alone="{o}" not in text)
        built.append(_ticket(f"T{index + 1:03d}", order, (kind, outcome, person, subject, text)))
    return built


def _ticket(
    number: str, order: dict[str, Any] | None, written: tuple[str, str, str, str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    kind, outcome, person, subject, text = written
    known = order is not None and kind != _FOREIGN
    email, full = _STRANGER
    if known and order is not None:
        email, full = str(order["customer"]["email"]), str(order["customer"]["name"])
    name = str(order["items"][0]["name"]) if order else ""
    words = {
        "o": order["id"] if order else "",
        "n": full.split(" ")[0],
        "full": full,
        "p": name.split(",")[0].lower(),
        "s": order["other_size"] if order else "",
    }
    ticket = {
        "id": number,
        "received_at": "2026-11-02",
        "channel": "form" if not subject else "mail",
        "from_email": email,
        "from_name": full,
        "subject": subject.format(**words),
        "text": text.format(**words),
    }
    return ticket, _expected(number, order, outcome, person, text)


def _expected(name: str, order: dict[str, Any] | None, outcome: str, person: str, text: str) -> dict[str, Any]:
    amount: int | None = None
    if outcome == "refund" and order:
        amount = order["total_cents"]
    elif outcome == "partial_refund" and order:
        amount = order["items"][0]["unit_cents"] * order["items"][0]["quantity"]
    elif outcome == "cancel" and order:
        amount = order["total_cents"]
    asks = person or ("approve" if amount is not None and amount > SMALL_CENTS_MAX else "")
    if person == "approve_if_big":
        asks = "approve" if amount is not None and amount > SMALL_CENTS_MAX else ""
    ends = "refuse" if asks == "deny" else outcome
    found = order is not None and ("{o}" in text or "{p}" in text or ends in ("refund", "partial_refund"))
    actions = [] if asks == "deny" else _ACTIONS.get(ends, ["cancel", "refund"] if ends == "cancel" else [])
    return {
        "id": name,
        "outcome": ends,
        "order_id": order["id"] if order and found else None,
        "amount_cents": None if asks == "deny" else amount,
        "actions": [*actions, "mail", "note"],
        "needs_person": bool(asks),
        "person": asks or None,
        "why": f"{outcome} by the written policy",
    }


def main() -> None:
    """Write both files."""
    built = build()
    for file, column in (("tickets.jsonl", 0), ("expected.jsonl", 1)):
        lines = "".join(json.dumps(pair[column], ensure_ascii=False) + "\n" for pair in built)
        (HERE / file).write_text(lines, encoding="utf-8")
    print(f"{len(built)} tickets written to {HERE.name}/")


if __name__ == "__main__":
    main()
