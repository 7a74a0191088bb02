"""Policy rules: the shop's written policy as plain functions, from a case to a verdict.

They decide on the shop's records; of the ticket they use only what its reading says the customer wants. What needs a
person's yes is no matter of this module: the Cedar policies beside it say so for each action.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from examples.returns_desk.desk.case import Case
from examples.returns_desk.desk.goods import asked_items, wanted_size
from examples.returns_desk.desk.records import Item
from examples.returns_desk.desk.shop_tools import (
    AccountChange,
    Cancellation,
    Exchange,
    Refund,
    Reroute,
    ReturnLabel,
)
from examples.returns_desk.desk.ticket import Intent, OutcomeKind
from examples.returns_desk.desk.verdict import Verdict

RETURN_DAYS = 30
"""From delivery, for whatever is returned because it does not please or fit."""

DAMAGE_DAYS = 60
"""From delivery, for what came damaged, wrong or incomplete."""

LATE_DAYS = 14
"""After the promised day, from which on a parcel counts as lost."""


def decide(case: Case) -> Verdict:
    """Say how a ticket ends under the policy."""
    reading = case.reading
    if reading.threatens or reading.wants_person:
        why = "they threaten" if reading.threatens else "they insist on a human being"
        return hand_over(case, why)
    if reading.advertises and case.sender is None:
        return Verdict("refuse", "it is advertising", "not_theirs")
    wishes = reading.intents
    if reading.withdrawn:
        return Verdict("answer", "they take their wish back", "thanks")
    if not wishes:
        return _nothing_asked(case)
    if wishes[0] == "thanks":
        return Verdict("answer", "they only say thanks", "thanks")
    if _is_account(case):
        return _account(case)
    if "question" in wishes and not case.named and not set(wishes) - {"question", "return"}:
        return Verdict("answer", "a question about the policy", "policy")
    if case.order is None:
        return _no_order(case)
    if not case.owned:
        return Verdict("refuse", f"order {case.order.id} is not the sender's", "not_theirs")
    return _RULES[_first_wish(case)](case)


def _is_account(case: Case) -> bool:
    """Tell whether the account is meant: not where a named order that is not delivered should go elsewhere."""
    reading = case.reading
    if "account" not in reading.intents or not (reading.email or reading.address):
        return False
    if reading.email is None and case.named and case.order is not None and case.order.status != "delivered":
        return False
    return reading.intents[0] == "account" or case.order is None


def _first_wish(case: Case) -> Intent:
    """Choose what is decided on: what cannot wait, then what went wrong, then what does not please."""
    wishes, order = set(case.reading.intents), case.order
    assert order is not None
    money = wishes & {"refund", "return"}
    if "account" in wishes and case.reading.address:
        return "reroute"
    if "reroute" in wishes and case.reading.address is None and "where" in wishes:
        wishes -= {"reroute"}
    if order.status == "delivered" and money:
        wishes -= {"where", "cancel", "misfit"}
    if wishes & {"refund", "return", "exchange"}:
        wishes -= {"misfit"}
    return next((wish for wish in _ORDER_OF_WISHES if wish in wishes), "question")


def hand_over(case: Case, why: str) -> Verdict:
    """Give the case to a person, with everything that is known."""
    ticket, reading = case.ticket, case.reading
    said = [f"it is from {ticket.from_email or 'nobody'}: {ticket.subject or '(no subject)'}"]
    wanted = [f"it names another address: {other}" for other in (reading.email, reading.address) if other]
    question = "\n".join([f"Ticket {ticket.id} is yours: {why}.", *said, *facts_of(case, *wanted)])
    return Verdict("hand_over", why, "hand_over", question=question)


def facts_of(case: Case, *more: str) -> list[str]:
    """Lay the case out for a person, a fact a line, without a word that is sealed: that is shown to whoever asks for it."""
    ticket, order, payment, shipment = case.ticket, case.order, case.payment, case.shipment
    facts = [f"ticket {ticket.id}", f"sender: customer {case.sender.id}" if case.sender else "sender: no customer"]
    if order is not None and case.owned:
        items = ", ".join(f"{item.quantity} x {item.name} at {money(item.unit_cents)}" for item in order.items)
        facts.append(f"order {order.id}, found by {case.found_by}: {order.status}, placed {order.placed_on}; {items}")
    if order is not None and order.delivered_on:
        facts.append(f"delivered {order.delivered_on}, {case.days_since_delivery} days before the ticket")
    if payment is not None:
        facts.append(f"paid {money(payment.captured_cents)}, given back {money(payment.refunded_cents)}")
    if shipment is not None:
        facts.append(f"parcel {shipment.id}: {shipment.status}")
    if case.reading.instructs:
        facts.append("the ticket holds text that tries to instruct software; it was left out")
    return [*facts, *more]


def money(cents: int) -> str:
    """Write a sum for people."""
    return f"{cents / 100:.2f}"


# --- without an order --------------------------------------------------------------------------------------------


def _nothing_asked(case: Case) -> Verdict:
    if case.reading.instructs:
        return Verdict("refuse", "it only tries to instruct software", "not_theirs")
    if case.named and case.owned:
        return hand_over(case, "what they want with their order could not be made out")
    return Verdict("clarify", "it does not say what is wanted", "what")


def _no_order(case: Case) -> Verdict:
    if case.unknown_numbers:
        return Verdict("clarify", f"no order has the number {', '.join(case.unknown_numbers)}", "which")
    if case.choices:
        return Verdict("clarify", f"it fits none or several of their {case.choices} orders", "which")
    return Verdict("clarify", "neither an order nor a customer is found", "which")


def _account(case: Case) -> Verdict:
    if case.sender is None:
        return Verdict("clarify", "the sender is no customer", "which")
    email, address = case.reading.email, case.reading.address
    wanted = " and ".join(name for name, other in (("e-mail", email), ("postal", address)) if other)
    act = AccountChange(
        customer_id=case.sender.id,
        customer=case.sender.email,
        email=email,
        address=address,
        address_now=case.sender.address,
        facts=facts_of(case),
    )
    return Verdict("account_change", f"wants another {wanted} address from now on", "account", (act,))


# --- before delivery ---------------------------------------------------------------------------------------------


def _cancel(case: Case) -> Verdict:
    order = case.order
    assert order is not None
    if order.status == "cancelled":
        return Verdict("answer", "it is cancelled already", "cancelled")
    if order.status == "delivered":
        return _return(case)
    if order.status not in ("placed", "packed"):
        return Verdict("refuse", "it has left already", "left")
    if case.reading.means_part and len(order.items) > 1:
        return Verdict("clarify", "an order is cancelled as a whole, and they want less", "item")
    act = Cancellation(order_id=order.id, reason="asked by the customer", facts=facts_of(case))
    back = _refund(case, None, "cancelled before it left")
    acts = (act, back) if back else (act,)
    return Verdict("cancel", "it has not left yet", "cancel", acts, amount_cents=back.amount_cents if back else None)


def _reroute(case: Case) -> Verdict:
    order, shipment, address = case.order, case.shipment, case.reading.address
    assert order is not None
    if order.status in ("delivered", "cancelled") or (shipment and shipment.status in ("delivered", "lost")):
        return Verdict("refuse", f"it is {order.status} already", "arrived")
    if address is None:
        return Verdict("clarify", "it does not say which address", "address")
    if shipment is None:
        return hand_over(case, "it has no parcel yet whose address could be changed")
    act = Reroute(
        order_id=order.id,
        shipment_id=shipment.id,
        customer=case.ticket.from_email,
        address=address,
        address_now=shipment.address,
        facts=facts_of(case),
    )
    return Verdict("reroute", "it is on its way and should go to another address", "reroute", (act,))


def _where(case: Case) -> Verdict:
    order, shipment = case.order, case.shipment
    assert order is not None
    lost = shipment is not None and shipment.status == "lost"
    overdue = (
        shipment is not None
        and shipment.status == "in_transit"
        and shipment.promised_on is not None
        and case.today - shipment.promised_on > timedelta(days=LATE_DAYS)
    )
    if order.status == "delivered":
        if "question" in case.reading.intents:
            return _question(case)
        return hand_over(case, "it is shown as delivered, and they do not have it")
    if lost or overdue:
        return _money_back(case, None, "the parcel is lost" if lost else "the parcel is long overdue")
    return Verdict("answer", f"it is {shipment.status if shipment else order.status}", "status")


# --- after delivery ----------------------------------------------------------------------------------------------


def _fault(case: Case) -> Verdict:
    """Damaged, wrong or incomplete: a replacement if that is wanted and there is one, else money back."""
    items = asked_items(case)
    late = _too_late(case, DAMAGE_DAYS)
    if late is not None:
        return late
    if "exchange" in case.reading.intents and items:
        return _exchange_of(case, items[0])
    return _money_back(case, items, "it came damaged, wrong or incomplete")


def _exchange(case: Case) -> Verdict:
    items = asked_items(case)
    late = _too_late(case, RETURN_DAYS) or _final_sale(items)
    if late is not None:
        return late
    if not items:
        return Verdict("clarify", "it does not say which item", "item")
    return _exchange_of(case, items[0])


def _exchange_of(case: Case, item: Item) -> Verdict:
    order = case.order
    assert order is not None
    size = wanted_size(case, item)
    if item.size is not None and size is None:
        return Verdict("clarify", "it does not say which size", "size")
    if case.stock is not None and case.stock.sizes.get(size or "", 0 if size else sum(case.stock.sizes.values())) < 1:
        return Verdict("answer", f"{item.name} is out of stock", "stock")
    reason, facts = "asked by the customer", facts_of(case)
    label = ReturnLabel(order_id=order.id, skus=[item.sku], reason=reason, facts=facts)
    act = Exchange(order_id=order.id, sku=item.sku, wanted_size=size, reason=reason, facts=facts)
    return Verdict("exchange", f"{item.name} may be exchanged", "exchange", (label, act))


def _return(case: Case) -> Verdict:
    """Goods back: within the window a label, and money once they have come."""
    order = case.order
    assert order is not None
    items = asked_items(case) or tuple(order.items)
    late = _too_late(case, RETURN_DAYS) or _final_sale(items)
    if late is not None:
        return late
    skus = [item.sku for item in items]
    act = ReturnLabel(order_id=order.id, skus=skus, reason="asked by the customer", facts=facts_of(case))
    return Verdict("return_label", "it is within the window", "label", (act,))


def _refund_wish(case: Case) -> Verdict:
    order = case.order
    assert order is not None
    if order.status in ("placed", "packed"):
        return _cancel(case)
    if order.status != "delivered":
        return _where(case)
    items = asked_items(case)
    late = _too_late(case, RETURN_DAYS) or _final_sale(items or tuple(order.items))
    return late or _money_back(case, items, "it is within the window")


def _too_late(case: Case, days: int) -> Verdict | None:
    order, payment, passed = case.order, case.payment, case.days_since_delivery
    assert order is not None
    if payment is not None and payment.open_cents <= 0:
        return Verdict("refuse", "it is paid back in full already", "paid_back")
    if order.status == "cancelled":
        return Verdict("refuse", "it was cancelled", "cancelled")
    if passed is None:
        return Verdict("answer", "it is not delivered yet", "status")
    if passed > days:
        return Verdict("refuse", f"it was delivered {passed} days ago; {days} are allowed", "window")
    return None


def _final_sale(items: tuple[Item, ...]) -> Verdict | None:
    if items and all(item.final_sale for item in items):
        return Verdict("refuse", "it was a final sale", "final")
    return None


def _money_back(case: Case, items: tuple[Item, ...] | None, why: str) -> Verdict:
    act = _refund(case, items, why)
    if act is None:
        return Verdict("refuse", "it is paid back already", "paid_back")
    kind: OutcomeKind = "refund" if act.amount_cents >= act.captured_cents else "partial_refund"
    return Verdict(kind, why, "refund", (act,), amount_cents=act.amount_cents)


def _refund(case: Case, items: tuple[Item, ...] | None, why: str) -> Refund | None:
    """Return the refund of these items, or of everything; None where nothing is left to give back."""
    order, payment = case.order, case.payment
    assert order is not None
    if payment is None or payment.open_cents <= 0:
        return None
    wanted = sum(_price(case, item) for item in items) if items else payment.captured_cents
    amount = min(wanted, payment.open_cents)
    return Refund(
        order_id=order.id,
        payment_id=payment.id,
        amount_cents=amount,
        captured_cents=payment.captured_cents,
        refunded_cents=payment.refunded_cents,
        reason=why,
        facts=facts_of(case, f"the desk would give back {money(amount)}: {why}"),
    )


def _price(case: Case, item: Item) -> int:
    """What is paid back for an item: for one piece of several where only one is meant."""
    return item.unit_cents if case.reading.means_part and item.quantity > 1 else item.line_cents


def _question(case: Case) -> Verdict:
    return Verdict("answer", "a question about their order", "status")


_RULES: Mapping[Intent, Callable[[Case], Verdict]] = {
    "cancel": _cancel,
    "reroute": _reroute,
    "damaged": _fault,
    "wrong_item": _fault,
    "missing": _fault,
    "exchange": _exchange,
    "refund": _refund_wish,
    "return": _return,
    "misfit": _exchange,
    "where": _where,
    "question": _question,
}

_ORDER_OF_WISHES: tuple[Intent, ...] = (
    "cancel", "reroute", "damaged", "wrong_item", "missing", "exchange", "misfit", "where", "refund", "return",
)  # fmt: skip
