"""Costing: what a tool declares that one call of it costs."""

import json

from kernos.vocabulary.budget import Cost
from kernos.vocabulary.contract import Codec
from kernos.vocabulary.errors import BadDeclaration

MICROUSD_MAX = 10**15
"""A billion dollars: more is a mistake."""


def cost_of(cost: int | Cost | None, given: Codec, returned: Codec, what: str) -> Cost | None:
    """Return the declared cost of a tool that is named `what`. Raises BadDeclaration for one that could never be told."""
    if cost is None:
        return None
    told = Cost(cost) if isinstance(cost, int) else cost
    amount = told.microusd_max
    if (amount is None) is not bool(told.argument):
        message = f"{what}: its cost is either a number or an argument that says it"
        raise BadDeclaration(message, hint="Write cost=2_000 (micro-dollars) or cost=Cost(argument='price_microusd').")
    if amount is not None and (type(amount) is not int or not 0 <= amount <= MICROUSD_MAX):
        message = f"{what}: cost={amount!r} is no amount"
        raise BadDeclaration(message, hint=f"Give whole micro-dollars from 0 to {MICROUSD_MAX}.")
    for name, codec, where in ((told.argument, given, "takes"), (told.reported, returned, "returns")):
        fields = json.loads(codec.schema.text).get("properties")
        if name and fields is not None and name not in fields:
            message = f"{what}: its cost is said to stand in {name!r}, and {codec.type_name}, which it {where}, has no such field"
            raise BadDeclaration(message, hint="Name a field of whole micro-dollars.")
    return told
