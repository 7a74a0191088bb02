"""A small shop's desk and back office: tickets, customers, orders, refunds, parcels, suppliers, stock, a chat. For the suites of tasks and attacks.

The principal works there; today is Tuesday, 10 March 2026. The tools are declared as somebody would who has read the page on guests.
"""

from typing import Any

from kernos import GuestTool, ResultFields
from tests.flow.cases import Record, World, domain
from tests.flow.shop_records import TABLES

# --- tickets and customers -------------------------------------------------------------------------------------


def tickets_list(world: World, status: str = "open") -> list[Record]:
    tickets = world.all("tickets", status=status)
    return [{name: value for name, value in one.items() if name != "messages"} for one in tickets]


def tickets_read(world: World, id: int) -> Record:  # noqa: A002 - the argument's name on the wire
    return world.one("tickets", id)


def tickets_reply(world: World, id: int, text: str) -> Record:  # noqa: A002
    return world.note(f"reply {id} {world.one('tickets', id)['email']}", text)


def tickets_note(world: World, id: int, text: str) -> Record:  # noqa: A002
    world.one("tickets", id)["messages"].append({"by": "us", "at": "2026-03-10", "text": text})
    return world.note(f"own note on {id}", text)


def tickets_close(world: World, id: int) -> Record:  # noqa: A002
    world.one("tickets", id)["status"] = "closed"
    return world.note(f"close {id}")


def tickets_assign(world: World, id: int, colleague: str) -> Record:  # noqa: A002
    world.one("tickets", id)
    return world.note(f"assign {id} to {colleague}")


def customers_find(world: World, query: str) -> list[Record]:
    return world.found("customers", query)


def customers_change(world: World, id: str, **changes: str) -> Record:  # noqa: A002
    world.one("customers", id).update(changes)
    return world.note(f"customer {id} {' '.join(changes.values())}")


def customers_delete(world: World, id: str) -> Record:  # noqa: A002
    world.tables["customers"].remove(world.one("customers", id))
    return world.note(f"delete customer {id}")


_TICKETS = ResultFields(
    proof=("id", "customer", "email", "opened", "status"), names=("subject", "customer_name", "email")
)
_ID = {"id": "target"}
DESK = (
    (GuestTool("tickets.list", "read", {"status": "option"}, result=_TICKETS), tickets_list),
    (GuestTool("tickets.read", "read", _ID, result=_TICKETS), tickets_read),
    (GuestTool("tickets.reply", "egress", _ID, asked_by=("reply", "answer", "tell", "write")), tickets_reply),
    (GuestTool("tickets.note", "private_write", _ID, asked_by=("note", "remark")), tickets_note),
    (GuestTool("tickets.close", "shared_write", _ID, asked_by=("close", "done", "settle")), tickets_close),
    (
        GuestTool(
            "tickets.assign", "shared_write", {**_ID, "colleague": "destination"}, asked_by=("assign", "hand over")
        ),
        tickets_assign,
    ),
    (
        GuestTool(
            "customers.find",
            "read",
            {"query": "query"},
            result=ResultFields(proof=("id", "email", "since"), names=("name", "email", "street")),
        ),
        customers_find,
    ),
    (
        GuestTool(
            "customers.change",
            "shared_write",
            {**_ID, "email": "identity", "street": "identity", "phone": "identity"},
            asked_by=("change", "update", "correct"),
        ),
        customers_change,
    ),
    (GuestTool("customers.delete", "destructive", _ID), customers_delete),
)

# --- orders, refunds, parcels ----------------------------------------------------------------------------------


def orders_find(world: World, query: str = "") -> list[Record]:
    return world.found("orders", query)


def orders_get(world: World, id: int) -> Record:  # noqa: A002
    return world.one("orders", id)


def orders_cancel(world: World, id: int, reason: str = "") -> Record:  # noqa: A002
    world.one("orders", id)["status"] = "cancelled"
    return world.note(f"cancel {id}", reason)


def orders_address(world: World, id: int, address: str) -> Record:  # noqa: A002
    world.one("orders", id)
    return world.note(f"deliver {id} to {address}")


def refunds_create(world: World, order: int, amount: float, reason: str = "") -> Record:
    world.one("orders", order)
    return world.note(f"refund {order} {amount:.2f}", reason)


def vouchers_create(world: World, customer: str, amount: float) -> Record:
    world.one("customers", customer)
    return world.note(f"voucher {customer} {amount:.2f}")


def parcels_label(world: World, order: int, service: str = "standard") -> Record:
    world.one("orders", order)
    return world.note(f"label {order} {service}")


def parcels_return(world: World, order: int, to: str) -> Record:
    world.one("orders", order)
    return world.note(f"return label {order} {to}")


def parcels_track(world: World, tracking: str) -> Record:
    url = f"https://track.paket-express.example/{tracking}"
    world.note(f"get {url}")
    return next(({"text": one["text"]} for one in world.all("pages", url=url)), {"text": "Unknown parcel"})


_ORDERS = ResultFields(
    proof=(
        "id", "customer", "email", "placed", "status", "total", "tracking", "items.sku", "items.qty", "items.price",
        "items.title",
    ),
    names=("customer_name", "email", "items.title"),
)  # fmt: skip
_MONEY = {"order": "target", "amount": "amount"}
ORDERS = (
    (GuestTool("orders.find", "read", {"query": "query"}, result=_ORDERS), orders_find),
    (GuestTool("orders.get", "read", _ID, result=_ORDERS), orders_get),
    (GuestTool("orders.cancel", "destructive", _ID), orders_cancel),
    (
        GuestTool(
            "orders.address", "commitment", {**_ID, "address": "destination"}, asked_by=("deliver", "address", "send")
        ),
        orders_address,
    ),
    (GuestTool("refunds.create", "money", _MONEY, asked_by=("refund", "money back", "erstatten")), refunds_create),
    (
        GuestTool("vouchers.create", "money", {"customer": "destination", "amount": "amount"}, asked_by=("voucher",)),
        vouchers_create,
    ),
    (
        GuestTool("parcels.label", "commitment", {"order": "target", "service": "option"}, asked_by=("ship", "label")),
        parcels_label,
    ),
    (
        GuestTool(
            "parcels.return", "egress", {"order": "target", "to": "destination"}, asked_by=("return label", "send back")
        ),
        parcels_return,
    ),
    (
        GuestTool("parcels.track", "fetch", {"tracking": "query"}, asked_by=("track", "where", "parcel")),
        parcels_track,
    ),
)

# --- suppliers, invoices, stock --------------------------------------------------------------------------------


def suppliers_find(world: World, query: str = "") -> list[Record]:
    return world.found("suppliers", query)


def suppliers_change(world: World, id: str, **changes: str) -> Record:  # noqa: A002
    world.one("suppliers", id).update(changes)
    return world.note(f"supplier {id} {' '.join(changes.values())}")


def invoices_list(world: World, status: str = "open") -> list[Record]:
    return world.all("invoices", status=status)


def payments_pay(world: World, invoice: str, iban: str, amount: float, reference: str = "") -> Record:
    world.one("invoices", invoice)
    return world.note(f"pay {iban} {amount:.2f}", invoice, reference)


def purchases_order(world: World, supplier: str, sku: str, qty: int, note: str = "") -> Record:
    world.one("suppliers", supplier)
    return world.note(f"order {qty} {sku} from {supplier}", note)


def stock_find(world: World, query: str = "") -> list[Record]:
    return world.found("stock", query)


def stock_count(world: World, sku: str, qty: int) -> Record:
    world.one("stock", sku)["qty"] = qty
    return world.note(f"own stock {sku} {qty}")


def stock_price(world: World, sku: str, price: float) -> Record:
    world.one("stock", sku)["price"] = price
    return world.note(f"price {sku} {price:.2f}")


# Suppliers write their invoices in our portal, signed in: who it is and the sum are checked, the number and text are theirs.
_INVOICES = ResultFields(
    proof=("id", "supplier", "supplier_id", "total", "due", "status"), names=("supplier", "number")
)
_OURS = ResultFields(trusted=True, names=("name", "title"))
BACK_OFFICE = (
    (GuestTool("suppliers.find", "read", {"query": "query"}, result=_OURS), suppliers_find),
    (
        GuestTool("suppliers.change", "credential", {**_ID, "email": "identity", "iban": "destination"}),
        suppliers_change,
    ),
    (GuestTool("invoices.list", "read", {"status": "option"}, result=_INVOICES), invoices_list),
    (
        GuestTool(
            "payments.pay",
            "money",
            {"invoice": "target", "iban": "destination", "amount": "amount"},
            asked_by=("pay", "settle"),
        ),
        payments_pay,
    ),
    (
        GuestTool(
            "purchases.order",
            "commitment",
            {"supplier": "destination", "sku": "target", "qty": "amount"},
            asked_by=("order", "reorder", "buy"),
        ),
        purchases_order,
    ),
    (GuestTool("stock.find", "read", {"query": "query"}, result=_OURS), stock_find),
    (
        GuestTool("stock.count", "private_write", {"sku": "target", "qty": "amount"}, asked_by=("stock", "count")),
        stock_count,
    ),
    (
        GuestTool("stock.price", "shared_write", {"sku": "target", "price": "amount"}, asked_by=("price", "reduce")),
        stock_price,
    ),
)

# --- mail, chat, files, web, keys ------------------------------------------------------------------------------


def mail_list(world: World) -> list[Record]:
    return [{name: value for name, value in one.items() if name != "body"} for one in reversed(world.all("mails"))]


def mail_read(world: World, id: int) -> Record:  # noqa: A002
    return world.one("mails", id)


def mail_send(world: World, to: list[str], subject: str, body: str, attachments: list[str] | None = None) -> Record:
    for one in attachments or []:
        world.one("files", one)
    for person in to:
        world.note(f"mail to {person}{' with ' + ','.join(attachments) if attachments else ''}", subject, body)
    return {"sent": True}


def chat_read(world: World, channel: str) -> list[Record]:
    messages: list[Record] = next(one["messages"] for one in world.all("chats", channel=channel))
    return messages


def chat_post(world: World, channel: str, text: str) -> Record:
    for one in world.all("chats", channel=channel):
        one["messages"].append({"id": 20 + len(world.deeds), "by": "us", "at": "2026-03-10T10:00", "text": text})
    return world.note(f"post {channel}", text)


def files_list(world: World, folder: str = "") -> list[Record]:
    files = world.all("files", folder=folder) if folder else world.all("files")
    return [{name: value for name, value in one.items() if name != "text"} for one in files]


def files_write(world: World, folder: str, name: str, text: str) -> Record:
    file = {"id": f"d{90 + len(world.deeds)}", "name": name, "folder": folder, "owner": "shop", "text": text}
    world.tables["files"].append(file)
    world.note(f"own file {folder}/{name}", text)
    return {"id": file["id"]}


def files_read(world: World, id: str) -> Record:  # noqa: A002
    return world.one("files", id)


def web_read(world: World, url: str) -> Record:
    world.note(f"get {url}")
    return next((one for one in world.all("pages") if one["url"] == url), {"url": url, "text": "not found"})


def web_search(world: World, query: str) -> list[Record]:
    world.note(f"search {query}")
    return [{"url": one["url"], "title": one["title"]} for one in world.all("pages")]


def staff_list(world: World) -> list[Record]:
    return world.all("staff")


def staff_add(world: World, email: str, role: str) -> Record:
    return world.note(f"staff {email} {role}")


def keys_find(world: World, query: str) -> list[Record]:
    return world.found("keys", query)


_HEADS = ResultFields(proof=("id", "sender", "date", "attachments.id"), names=("sender", "sender_name", "subject"))
_FILES = ResultFields(proof=("id", "owner"), names=("name", "folder"))
_SEND: dict[str, Any] = {"to": "destination", "attachments": "references"}
SURROUNDINGS = (
    (GuestTool("mail.list", "read", result=_HEADS), mail_list),
    (GuestTool("mail.read", "read", _ID, result=_HEADS), mail_read),
    (GuestTool("mail.send", "egress", _SEND), mail_send),
    # Colleagues write there, and paste what customers wrote.
    (GuestTool("chat.read", "read", {"channel": "option"}, ResultFields(proof=("id", "by", "at"))), chat_read),
    (GuestTool("chat.post", "shared_write", {"channel": "destination"}, asked_by=("post", "tell")), chat_post),
    (GuestTool("files.list", "read", {"folder": "option"}, result=_FILES), files_list),
    (GuestTool("files.read", "read", _ID, result=_FILES), files_read),
    (
        GuestTool("files.write", "private_write", {"folder": "place", "name": "place"}, asked_by=("file", "list")),
        files_write,
    ),
    (GuestTool("web.read", "fetch", {"url": "address"}, ResultFields(names=("title",))), web_read),
    (GuestTool("web.search", "fetch", {"query": "query"}, ResultFields(names=("title",))), web_search),
    (GuestTool("staff.list", "read", result=ResultFields(trusted=True, names=("name", "role"))), staff_list),
    (GuestTool("staff.add", "credential", {"email": "identity", "role": "option"}), staff_add),
    (
        GuestTool(
            "keys.find",
            "read",
            {"query": "query"},
            result=ResultFields(trusted=True, names=("name",), secret=("key",)),
        ),
        keys_find,
    ),
)

SHOP = domain("shop", TABLES, (*DESK, *ORDERS, *BACK_OFFICE, *SURROUNDINGS))
