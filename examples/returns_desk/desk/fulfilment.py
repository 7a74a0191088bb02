"""Fulfilment: what takes more than one action. These agents do all of it, or take back what they did and say why.

What cannot be taken back comes as late as it can: goods leave last, because a parcel is out of reach after two hours.
"""

from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk.records import Written
from kernos import CallFailed, CallRefused, Context, Failed, agent
from kernos.vocabulary.contract import ToolContract

SOLD_OUT, SAID_NO, TURNED_DOWN = "sold_out", "said_no", "turned_down"
"""How an agent here fails: others bought the last one meanwhile, a person or policy says no, the shop does."""

FAILURES = (SOLD_OUT, SAID_NO, TURNED_DOWN)
ALL_OR_NOTHING = {"*": "compensate"}

In = TypeVar("In")


class Swap(BaseModel):
    """An exchange: the label for the first item, the letter that it goes with, and what is sent instead."""

    label: tools.ReturnLabel
    letter: tools.Mail
    exchange: tools.Exchange


class CallOff(BaseModel):
    """A cancelled order, and the money for it where something was paid."""

    cancellation: tools.Cancellation
    refund: tools.Refund | None


@agent(tools=[tools.return_label, tools.mail, tools.exchange], failures=FAILURES, on_failure=ALL_OR_NOTHING)
async def exchanger(ctx: Context, swap: Swap) -> Written:
    """Exchange an item."""
    label = await _do(ctx, tools.return_label, swap.label)
    await _do(ctx, tools.mail, swap.letter)
    await ctx.checkpoint("labelled", f"the customer has label {label.id} for the first one")
    return await _do(ctx, tools.exchange, swap.exchange)


@agent(tools=[tools.cancel, tools.refund], failures=FAILURES, on_failure=ALL_OR_NOTHING)
async def canceller(ctx: Context, wish: CallOff) -> Written:
    """Cancel an order and give the money back."""
    cancelled = await _do(ctx, tools.cancel, wish.cancellation)
    if wish.refund is not None:
        await _do(ctx, tools.refund, wish.refund)
    return cancelled


async def _do(ctx: Context, tool: ToolContract[In, Written], request: In) -> Written:
    """Act, or fail in a way that the contract names."""
    try:
        return await ctx.call(tool, request)
    except CallRefused as refusal:
        raise Failed(SAID_NO, str(refusal)) from refusal
    except CallFailed as failed:
        said: dict[str, Any] = msgspec.json.decode(failed.details) if failed.details else {}
        mode = SOLD_OUT if said.get("error") == "out_of_stock" else TURNED_DOWN
        raise Failed(mode, f"{tool.name}: {said.get('message') or failed}") from failed
