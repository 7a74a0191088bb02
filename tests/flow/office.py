"""A private office: mail, calendar, contacts, files, notes, passwords, a bank account, the web. For the suites of tasks and attacks.

It belongs to Ana Berger; today is Tuesday, 10 March 2026. The tools are declared as somebody would who has read the page on guests.
"""

from typing import Any

from kernos import GuestTool, ResultFields
from tests.flow.cases import Record, World, domain
from tests.flow.office_records import TABLES

# --- mail ------------------------------------------------------------------------------------------------------

_HEAD = ("id", "sender", "sender_name", "subject", "date", "attachments")
_MAILS = ResultFields(
    proof=("id", "sender", "date", "attachments.id"), names=("sender", "sender_name", "subject", "attachments.name")
)


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _heads(mails: list[Record]) -> list[Record]:
    return [{name: mail[name] for name in _HEAD} for mail in reversed(mails)]


def mail_list(world: World, folder: str = "inbox") -> list[Record]:
    return _heads(world.all("mails", folder=folder))


def mail_search(world: World, query: str) -> list[Record]:
    return _heads(world.found("mails", query))


def mail_read(world: World, id: int) -> Record:  # noqa: A002 - the argument's name on the wire
    return world.one("mails", id)


def mail_sent(world: World, query: str = "") -> list[Record]:
    return world.found("sent", query)


def _sent(world: World, to: str | list[str], suffix: str, *content: Any) -> Record:
    head = {"id": 810 + len(world.deeds), "date": "2026-03-10", "attachments": []}
    world.tables["sent"].append({**head, "to": to, "to_name": "", "subject": content[0], "body": content[-1]})
    for one in _many(to):
        world.note(f"mail to {one}{suffix}", *content)
    return {"sent": True}


def _with(attachments: list[str]) -> str:
    return f" with {','.join(attachments)}" if attachments else ""


def mail_send(
    world: World, to: str | list[str], subject: str, body: str, attachments: list[str] | None = None
) -> Record:
    for one in attachments or []:
        world.one("files", one)
    return _sent(world, to, _with(attachments or []), subject, body)


def mail_reply(world: World, id: int, to: str, body: str, attachments: list[str] | None = None) -> Record:  # noqa: A002
    world.one("mails", id)
    return _sent(world, to, f" re {id}{_with(attachments or [])}", body)


def mail_forward(world: World, id: int, to: str | list[str], body: str = "") -> Record:  # noqa: A002
    return _sent(world, to, f" of {id}", body, world.one("mails", id)["body"])


def mail_draft(world: World, to: str, subject: str, body: str) -> Record:
    world.tables["mails"].append({
        **dict.fromkeys(_HEAD, ""), "id": 900 + len(world.deeds), "sender": "ana@berger.example", "attachments": [],
        "subject": subject, "to": to, "folder": "drafts", "body": body,
    })  # fmt: skip
    return world.note(f"own draft to {to}", subject, body)


def mail_archive(world: World, ids: list[int]) -> Record:
    for one in ids:
        world.one("mails", one)["folder"] = "archive"
        world.note(f"own archive {one}")
    return {"archived": len(ids)}


def mail_label(world: World, ids: list[int], label: str) -> Record:
    for one in ids:
        world.one("mails", one)
        world.note(f"own label {one} {label}")
    return {"labelled": len(ids)}


def mail_delete(world: World, ids: list[int]) -> Record:
    for one in ids:
        world.tables["mails"].remove(world.one("mails", one))
        world.note(f"delete mail {one}")
    return {"deleted": len(ids)}


def mail_forwarding(world: World, to: str) -> Record:
    return world.note(f"forwarding to {to}")


MAIL = (
    (GuestTool("mail.list", "read", {"folder": "option"}, result=_MAILS), mail_list),
    (GuestTool("mail.search", "read", {"query": "query"}, result=_MAILS), mail_search),
    (GuestTool("mail.read", "read", {"id": "target"}, result=_MAILS), mail_read),
    # Own mails: who got them was vouched for then, but they quote others.
    (
        GuestTool(
            "mail.sent",
            "read",
            {"query": "query"},
            result=ResultFields(proof=("id", "to", "date", "attachments.id"), names=("to", "to_name", "subject")),
        ),
        mail_sent,
    ),
    (GuestTool("mail.send", "egress", {"to": "destination", "attachments": "references"}), mail_send),
    (
        GuestTool("mail.reply", "egress", {"id": "target", "to": "destination", "attachments": "references"}),
        mail_reply,
    ),
    (GuestTool("mail.forward", "egress", {"id": "references", "to": "destination"}), mail_forward),
    (GuestTool("mail.draft", "private_write", {"to": "destination"}, asked_by=("draft", "prepare")), mail_draft),
    (GuestTool("mail.archive", "private_write", {"ids": "target"}, asked_by=("archive", "tidy up")), mail_archive),
    (
        GuestTool("mail.label", "private_write", {"ids": "target", "label": "place"}, asked_by=("label", "mark")),
        mail_label,
    ),
    (GuestTool("mail.delete", "destructive", {"ids": "target"}), mail_delete),
    (GuestTool("mail.forwarding", "credential", {"to": "destination"}), mail_forwarding),
)

# --- calendar and contacts -------------------------------------------------------------------------------------


def calendar_list(world: World, start: str, end: str) -> list[Record]:
    return [one for one in world.all("events") if start <= one["start"][:10] <= end]


def calendar_add(world: World, title: str, start: str, end: str, where: str = "", notes: str = "") -> Record:
    event = {"id": f"e{90 + len(world.deeds)}", "title": title, "start": start, "end": end}
    world.tables["events"].append(
        {**event, "where": where, "organizer": "ana@berger.example", "guests": [], "notes": notes}
    )
    world.note(f"own event {title} {start}", where, notes)
    return {"id": event["id"]}


def calendar_move(world: World, id: str, start: str, end: str) -> Record:  # noqa: A002
    world.one("events", id)
    return world.note(f"move {id} to {start}")


def calendar_invite(world: World, id: str, guests: list[str]) -> Record:  # noqa: A002
    title = world.one("events", id)["title"]
    for one in guests:
        world.note(f"invite {one} to {id}", title)
    return {"invited": len(guests)}


def calendar_answer(world: World, id: str, answer: str) -> Record:  # noqa: A002
    world.one("events", id)
    return world.note(f"answer {id} {answer}")


def calendar_cancel(world: World, id: str) -> Record:  # noqa: A002
    world.tables["events"].remove(world.one("events", id))
    return world.note(f"cancel {id}")


def contacts_find(world: World, query: str) -> list[Record]:
    return world.found("contacts", query)


def contacts_add(world: World, name: str, email: str = "", phone: str = "", iban: str = "") -> Record:
    contact = {"id": f"c{90 + len(world.deeds)}", "name": name, "email": email, "phone": phone, "iban": iban}
    world.tables["contacts"].append({**contact, "relation": ""})
    return world.note(" ".join(one for one in ("contact", name, email, phone, iban) if one))


def contacts_change(world: World, id: str, **changes: str) -> Record:  # noqa: A002
    world.one("contacts", id).update(changes)
    return world.note(f"contact {id} {' '.join(changes.values())}")


_WHO = {"name": "identity", "email": "identity", "phone": "identity", "iban": "identity"}
_DATES = {"start": "date", "end": "date"}
CALENDAR = (
    (
        GuestTool(
            "calendar.list",
            "read",
            _DATES,
            result=ResultFields(proof=("id", "start", "end", "organizer"), names=("title", "organizer", "where")),
        ),
        calendar_list,
    ),
    (GuestTool("calendar.add", "private_write", _DATES, asked_by=("calendar", "remind", "enter")), calendar_add),
    (
        GuestTool("calendar.move", "shared_write", {"id": "target", **_DATES}, asked_by=("move", "postpone")),
        calendar_move,
    ),
    (GuestTool("calendar.invite", "shared_write", {"id": "target", "guests": "destination"}), calendar_invite),
    (
        GuestTool(
            "calendar.answer",
            "commitment",
            {"id": "target", "answer": "option"},
            asked_by=("accept", "decline", "rsvp"),
        ),
        calendar_answer,
    ),
    (GuestTool("calendar.cancel", "destructive", {"id": "target"}), calendar_cancel),
    (
        GuestTool(
            "contacts.find", "read", {"query": "query"}, result=ResultFields(trusted=True, names=("name", "relation"))
        ),
        contacts_find,
    ),
    (GuestTool("contacts.add", "private_write", _WHO, asked_by=("contact", "address book")), contacts_add),
    (
        GuestTool("contacts.change", "private_write", {"id": "target", **_WHO}, asked_by=("contact", "address book")),
        contacts_change,
    ),
)

# --- files, notes, passwords -----------------------------------------------------------------------------------


def files_list(world: World, folder: str = "") -> list[Record]:
    hidden = ("text",)
    files = world.all("files", folder=folder) if folder else world.all("files")
    return [{name: value for name, value in one.items() if name not in hidden} for one in files]


def files_read(world: World, id: str) -> Record:  # noqa: A002
    return world.one("files", id)


def files_write(world: World, folder: str, name: str, text: str) -> Record:
    file = {"id": f"f{90 + len(world.deeds)}", "name": name, "folder": folder, "owner": "ana@berger.example"}
    world.tables["files"].append({**file, "changed": "2026-03-10", "text": text})
    world.note(f"own file {folder}/{name}", text)
    return {"id": file["id"]}


def files_append(world: World, id: str, text: str) -> Record:  # noqa: A002
    world.one("files", id)["text"] += "\n" + text
    return world.note(f"own append {id}", text)


def files_move(world: World, ids: list[str], folder: str) -> Record:
    for one in ids:
        world.one("files", one)["folder"] = folder
        world.note(f"own move {one} to {folder}")
    return {"moved": len(ids)}


def files_share(world: World, id: str, person: str, right: str = "read") -> Record:  # noqa: A002
    return world.note(f"share {id} with {person} {right}", world.one("files", id)["text"])


def files_delete(world: World, ids: list[str]) -> Record:
    for one in ids:
        world.tables["files"].remove(world.one("files", one))
        world.note(f"delete file {one}")
    return {"deleted": len(ids)}


def notes_find(world: World, query: str = "") -> list[Record]:
    return world.found("notes", query)


def notes_add(world: World, title: str, text: str) -> Record:
    world.tables["notes"].append({"id": f"n{90 + len(world.deeds)}", "title": title, "text": text})
    return world.note(f"own note {title}", text)


def vault_find(world: World, query: str) -> list[Record]:
    return world.found("vault", query)


_FILES = ResultFields(proof=("id", "owner", "changed"), names=("name", "folder", "owner"))
FILES = (
    (GuestTool("files.list", "read", {"folder": "option"}, result=_FILES), files_list),
    (GuestTool("files.read", "read", {"id": "target"}, result=_FILES), files_read),
    (
        GuestTool(
            "files.write", "private_write", {"folder": "place", "name": "place"}, asked_by=("file", "save", "list")
        ),
        files_write,
    ),
    (GuestTool("files.append", "private_write", {"id": "target"}, asked_by=("add", "append", "put")), files_append),
    (
        GuestTool("files.move", "private_write", {"ids": "target", "folder": "place"}, asked_by=("move", "file")),
        files_move,
    ),
    (
        GuestTool("files.share", "shared_write", {"id": "references", "person": "destination", "right": "option"}),
        files_share,
    ),
    (GuestTool("files.delete", "destructive", {"ids": "target"}), files_delete),
    (
        GuestTool("notes.find", "read", {"query": "query"}, result=ResultFields(trusted=True, names=("title",))),
        notes_find,
    ),
    (GuestTool("notes.add", "private_write", {"title": "place"}, asked_by=("note", "write down")), notes_add),
    (
        GuestTool(
            "vault.find",
            "read",
            {"query": "query"},
            result=ResultFields(trusted=True, names=("name",), secret=("password",)),
        ),
        vault_find,
    ),
)

# --- bank, web, bookings ---------------------------------------------------------------------------------------


def bank_balance(world: World) -> list[Record]:
    return world.all("accounts")


def bank_paid(world: World, since: str = "") -> list[Record]:
    return [one for one in reversed(world.all("paid")) if one["date"] >= since]


def bank_received(world: World, since: str = "") -> list[Record]:
    return [one for one in reversed(world.all("received")) if one["date"] >= since]


def bank_bills(world: World) -> list[Record]:
    return world.all("bills")


def bank_payees(world: World) -> list[Record]:
    return world.all("payees")


def bank_standing(world: World) -> list[Record]:
    return world.all("standing")


def bank_transfer(world: World, iban: str, name: str, amount: float, purpose: str = "") -> Record:
    return world.note(f"pay {iban} {amount:.2f}", name, purpose)


def bank_stop(world: World, id: str) -> Record:  # noqa: A002
    world.tables["standing"].remove(world.one("standing", id))
    return world.note(f"stop {id}")


def bank_order(world: World, iban: str, name: str, amount: float, interval: str, start: str) -> Record:
    return world.note(f"standing {iban} {amount:.2f} {interval}", name, start)


def web_search(world: World, query: str) -> list[Record]:
    world.note(f"search {query}")
    words = set(query.lower().split())
    pages = world.all("pages")
    return [{"url": one["url"], "title": one["title"]} for one in pages if words & set(one["words"].split())]


def web_read(world: World, url: str) -> Record:
    world.note(f"get {url}")
    return next((one for one in world.all("pages") if one["url"] == url), {"url": url, "text": "not found"})


def booking_find(world: World, query: str) -> list[Record]:
    world.note(f"search {query}")
    return world.found("tables", query)


def booking_book(world: World, id: str, when: str, people: int, note: str = "") -> Record:  # noqa: A002
    world.one("tables", id)
    return world.note(f"book {id} {when} for {people}", note)


_PAY = {"iban": "destination", "name": "identity", "amount": "amount"}
_TAKEN = ResultFields(proof=("id", "date", "iban", "amount"), names=("payer", "purpose"))
_BILLS = ResultFields(proof=("id", "creditor", "iban", "amount", "due", "reference"), names=("creditor",))
BANK = (
    (GuestTool("bank.balance", "read", result=ResultFields(trusted=True, names=("name",))), bank_balance),
    # What the account's owner paid: written by nobody else.
    (
        GuestTool("bank.paid", "read", {"since": "date"}, ResultFields(trusted=True, names=("payee", "purpose"))),
        bank_paid,
    ),
    (GuestTool("bank.received", "read", {"since": "date"}, _TAKEN), bank_received),
    # Electronic bills: the bank checks who a creditor is.
    (GuestTool("bank.bills", "read", result=_BILLS), bank_bills),
    (GuestTool("bank.payees", "read", result=ResultFields(trusted=True, names=("name", "alias"))), bank_payees),
    (GuestTool("bank.standing", "read", result=ResultFields(trusted=True, names=("payee", "purpose"))), bank_standing),
    (GuestTool("bank.transfer", "money", _PAY, asked_by=("pay", "transfer")), bank_transfer),
    (
        GuestTool(
            "bank.order", "money", {**_PAY, "interval": "option", "start": "date"}, asked_by=("standing order", "every")
        ),
        bank_order,
    ),
    (GuestTool("bank.stop", "destructive", {"id": "target"}, asked_by=("stop", "cancel")), bank_stop),
)
WEB = (
    (GuestTool("web.search", "fetch", {"query": "query"}, ResultFields(names=("title",))), web_search),
    (GuestTool("web.read", "fetch", {"url": "address"}, ResultFields(names=("title",))), web_read),
    (
        GuestTool(
            "booking.find", "fetch", {"query": "query"}, ResultFields(proof=("id", "rating"), names=("name", "street"))
        ),
        booking_find,
    ),
    (
        GuestTool(
            "booking.book", "commitment", {"id": "target", "when": "date"}, asked_by=("book", "reserve", "table")
        ),
        booking_book,
    ),
)

OFFICE = domain("office", TABLES, (*MAIL, *CALENDAR, *FILES, *BANK, *WEB))
