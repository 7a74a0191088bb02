"""Editing: a person's changes put into the arguments of a call that waits for them."""

from collections.abc import Mapping
from typing import Any

from kernos.authoring.codec import codec_of
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.errors import ContractBroken, InvalidInput
from kernos.vocabulary.quantities import Json


def changed_arguments(contract: ToolContract[Any, Any], args: Json, changes: Mapping[str, Any]) -> Json:
    """Return the arguments with some of them changed. Raises InvalidInput when they do not fit the tool."""
    before = codec_of(dict[str, Any]).decode(args)
    strange = sorted(set(changes) - set(codec_of(dict[str, Any]).decode(contract.input.schema).get("properties", {})))
    if strange:
        message = f"{contract.name} has no argument {', '.join(strange)}"
        raise InvalidInput(message, hint=f"It has: {', '.join(before)}.")
    try:
        merged = contract.input.decode(codec_of(dict[str, Any]).encode({**before, **changes}))
        return contract.input.encode(merged)
    except ContractBroken as broken:
        message = f"the changed arguments do not fit {contract.name}: {broken}"
        raise InvalidInput(message, hint="See what it takes with `kernos config`.") from broken
