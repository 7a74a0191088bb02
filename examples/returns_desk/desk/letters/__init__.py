"""Letters: what customers are told, in their own language; one TOML file a language, the same keys in each."""

import tomllib
from functools import cache
from pathlib import Path

from examples.returns_desk.desk.case import Case
from examples.returns_desk.desk.shop_tools import Reroute
from examples.returns_desk.desk.verdict import Verdict


def letter(case: Case, verdict: Verdict) -> str:
    """Write the letter that goes with a verdict. Of somebody else's order nothing is told."""
    sentences = _sentences(case.reading.language)
    name = case.sender.name if case.sender else case.ticket.from_name
    known = case.order if case.owned else None
    shipment = case.shipment
    rerouted = next((act.address for act in verdict.acts if isinstance(act, Reroute)), "")
    body = sentences[verdict.letter].format(
        order=known.id if known else "",
        amount=f"{(verdict.amount_cents or 0) / 100:.2f}",
        address=rerouted,
        status=sentences[f"status_{shipment.status if shipment else known.status}"] if known else "",
        promised=shipment.promised_on or "" if shipment else "",
    )
    return f"{sentences['hello'].format(name=name).strip()},\n\n{body}\n\n{sentences['bye']}"


@cache
def _sentences(language: str) -> dict[str, str]:
    file = Path(__file__).with_name(f"{language}.toml")
    return tomllib.loads((file if file.is_file() else file.with_name("en.toml")).read_text(encoding="utf-8"))
