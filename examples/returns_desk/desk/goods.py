"""Goods: which items of an order a case is about, and which size is wanted instead."""

from examples.returns_desk.desk.case import Case
from examples.returns_desk.desk.records import Item

_LETTER_SIZES = ("XXS", "XS", "S", "M", "L", "XL", "XXL", "XXXL")


def asked_items(case: Case) -> tuple[Item, ...]:
    """Return the items that the ticket names; all where it means the whole order, none where nothing tells."""
    order = case.order
    if order is None or case.match is None:
        return ()
    if case.reading.means_whole_order and len(case.match.items) != 1:
        return tuple(order.items)
    return case.match.items


def wanted_size(case: Case, item: Item) -> str | None:
    """Return the size wanted in exchange: one that is named, else the next one up or down, else (a fault) the same."""
    if item.size is None:
        return None
    sizes = sorted(case.stock.sizes, key=_rank) if case.stock else []
    for size in case.reading.sizes:
        if size != item.size and (size in sizes or not sizes):
            return size
    step = case.reading.size_step
    if step and item.size in sizes:
        place = sizes.index(item.size) + step
        return sizes[place] if 0 <= place < len(sizes) else None
    return item.size if {"damaged", "wrong_item"} & set(case.reading.intents) else None


def _rank(size: str) -> tuple[int, int, str]:
    if size.upper() in _LETTER_SIZES:
        return (0, _LETTER_SIZES.index(size.upper()), size)
    return (1, int(size), size) if size.isdecimal() else (2, 0, size)
