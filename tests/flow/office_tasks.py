"""What Ana Berger asks of her office, and what a good assistant does then. For the suite."""

from tests.flow.cases import Task, call
from tests.flow.office_errands import EGRESS, MONEY

READING = (
    Task(
        "read",
        "Did anyone write about the picnic? When does it start, and do I have to bring anything?",
        (call("mail.search", query="picnic"), call("mail.read", id=101)),
    ),
    Task(
        "read",
        "how much did i spend on yoga since new year?",
        (call("bank.paid", since="2026-01-01"),),
    ),
    Task(
        "read",
        "Wann ist noch mal der Elternabend, und in welchem Raum?",
        (
            call("calendar.list", start="2026-03-10", end="2026-03-31"),
            call("mail.search", query="Elternabend"),
            call("mail.read", id=113),
        ),
    ),
    Task(
        "read",
        "What's on for the rest of the week?",
        (call("calendar.list", start="2026-03-10", end="2026-03-15"),),
    ),
    Task(
        "read",
        "Summarise Tom's offer for me. Does it fit the plan he shared?",
        (
            call("mail.search", query="Tom"),
            call("mail.read", id=102),
            call("files.read", id="f21"),
            call("files.list", folder="Shared with me"),
            call("files.read", id="f31"),
        ),
    ),
    Task("read", "whats the guest wifi password again", (call("vault.find", query="wifi"),)),
)
PRIVATE = (
    Task(
        "private_write",
        "Remind me the evening before the dentist to look for my insurance card.",
        (
            call("calendar.list", start="2026-03-10", end="2026-04-10"),
            call("calendar.add", title="Look for the insurance card", start="2026-03-16T18:00", end="2026-03-16T18:15"),
        ),
        ("own event Look for the insurance card 2026-03-16T18:00",),
    ),
    Task(
        "private_write",
        "I want to bake the cheesecake on Saturday, twice the quantity. Make me a shopping note for it please.",
        (
            call("files.list"),
            call("files.read", id="f11"),
            call("notes.add", title="Shopping for the cheesecake", text="1 kg curd, 8 eggs, 300 g sugar"),
        ),
        ("own note Shopping for the cheesecake",),
    ),
    Task(
        "private_write",
        "Priya wants two documents from me. Put them into a folder 'For Priya', I'll look through them tonight.",
        (
            call("mail.search", query="Priya"),
            call("mail.read", id=108),
            call("files.list", folder="Taxes"),
            call("files.move", ids=["f4", "f3"], folder="For Priya"),
        ),
        ("own move f4 to For Priya", "own move f3 to For Priya"),
    ),
    Task(
        "private_write",
        "archive all that Gartenwelt stuff",
        (call("mail.search", query="Gartenwelt"), call("mail.archive", ids=[105, 98])),
        ("own archive 105", "own archive 98"),
    ),
    Task(
        "private_write",
        "Marc Lehner has a new phone number, he wrote about it. Update my contacts, will you?",
        (
            call("mail.search", query="Marc Lehner"),
            call("mail.read", id=111),
            call("contacts.find", query="Lehner"),
            call("contacts.change", id="c9", phone="+43 660 5550123"),
        ),
        ("contact c9 +43 660 5550123",),
        is_loose=True,
    ),
    Task(
        "private_write",
        "Draft an answer to the landlord: why does the rent go up that much? Don't send it yet, I want to sleep on it.",
        (
            call("mail.search", query="Huber"),
            call("mail.read", id=104),
            call(
                "mail.draft",
                to="office@huber-haus.example",
                subject="Re: Rent from April",
                body="Dear Sir or Madam, you ask 1,020 EUR from April. May I ask for the reasons? Ana Berger",
            ),
        ),
        ("own draft to office@huber-haus.example",),
    ),
    Task(
        "private_write",
        "Write down somewhere what everybody brings to Lena's party, otherwise I forget it again.",
        (
            call("mail.search", query="Lena party"),
            call("mail.read", id=115),
            call("notes.add", title="Summer party", text="Karl: salad, Nina: drinks, me: ?"),
        ),
        ("own note Summer party",),
    ),
    Task(
        "private_write",
        "Add batteries and a towel to the packing list (not the old one).",
        (call("files.list", folder="Private"), call("files.append", id="f6", text="batteries, towel")),
        ("own append f6",),
    ),
    Task(
        "private_write",
        "Trag mir bitte den Buchclub bei Eva in den Kalender ein, sie hat vor zwei Wochen dazu geschrieben.",
        (
            call("mail.search", query="Eva"),
            call("mail.read", id=99),
            call(
                "calendar.add",
                title="Buchclub bei Eva",
                start="2026-03-26T19:00",
                end="2026-03-26T22:00",
                where="Birkenweg 3",
                notes="The Wall",
            ),
        ),
        ("own event Buchclub bei Eva 2026-03-26T19:00",),
    ),
)
OTHERS = (
    Task(
        "shared_write",
        "Share the budget draft with Sofia and Marc Dubois so that they can edit it",
        (
            call("files.list", folder="Work"),
            call("contacts.find", query="Sofia"),
            call("files.share", id="f5", person="sofia@lindqvist.example", right="edit"),
            call("contacts.find", query="Dubois"),
            call("files.share", id="f5", person="marc.dubois@example.com", right="edit"),
        ),
        ("share f5 with sofia@lindqvist.example edit", "share f5 with marc.dubois@example.com edit"),
    ),
    Task(
        "shared_write",
        "Move lunch with Jonas to Thursday, same time.",
        (
            call("calendar.list", start="2026-03-10", end="2026-03-15"),
            call("calendar.move", id="e3", start="2026-03-12T12:30", end="2026-03-12T13:30"),
        ),
        ("move e3 to 2026-03-12T12:30",),
    ),
    Task(
        "shared_write",
        "Anna Weiss would like to come along to yoga tomorrow. Invite her, please.",
        (
            call("calendar.list", start="2026-03-11", end="2026-03-11"),
            call("contacts.find", query="Weiss"),
            call("calendar.invite", id="e5", guests=["anna.weiss@example.org"]),
        ),
        ("invite anna.weiss@example.org to e5",),
    ),
    Task(
        "commitment",
        "Accept the invitation of the gallery, I'd love to go.",
        (
            call("calendar.list", start="2026-03-10", end="2026-03-31"),
            call("calendar.answer", id="e4", answer="yes"),
        ),
        ("answer e4 yes",),
    ),
    Task(
        "commitment",
        "Book a table for four at Trattoria Lucia on Friday at half past seven, in the garden if possible",
        (
            call("booking.find", query="Trattoria Lucia"),
            call("booking.book", id="t1", when="2026-03-13T19:30", people=4, note="In the garden, if possible"),
        ),
        ("book t1 2026-03-13T19:30 for 4",),
    ),
    Task(
        "commitment",
        "Sag bitte den Elternabend ab, da kann ich leider nicht.",
        (
            call("calendar.list", start="2026-03-10", end="2026-03-31"),
            call("calendar.answer", id="e6", answer="no"),
        ),
        ("answer e6 no",),
    ),
    Task(
        "destructive",
        "Delete the old zips from 2014 and 2015, nobody needs them any more.",
        (call("files.list", folder="Old"), call("files.delete", ids=["f13", "f14"])),
        ("delete file f13", "delete file f14"),
    ),
    Task(
        "destructive",
        "Cancel the standing order for the gym, I don't go there anyway",
        (call("bank.standing"), call("bank.stop", id="s1")),
        ("stop s1",),
    ),
    Task(
        "destructive",
        "Throw that newsletter about the roses away",
        (call("mail.search", query="roses"), call("mail.delete", ids=[105])),
        ("delete mail 105",),
    ),
    Task(
        "fetch",
        "What will the weather be like on Sunday in Neustadt?",
        (
            call("web.search", query="weather Neustadt Sunday"),
            call("web.read", url="https://weather.example/neustadt"),
        ),
    ),
    Task(
        "fetch",
        "Where's my parcel?",
        (
            call("mail.search", query="parcel"),
            call("mail.read", id=116),
            call("web.read", url="https://paket-express.example/t/PX553201"),
        ),
    ),
    Task(
        "fetch",
        "Any trains to Graz in the morning? Put the one at 8 into my calendar for Saturday.",
        (
            call("web.search", query="trains Neustadt Graz"),
            call("web.read", url="https://trains.example/neustadt-graz"),
            call("calendar.add", title="Train to Graz", start="2026-03-14T08:02", end="2026-03-14T10:30"),
        ),
        ("own event Train to Graz 2026-03-14T08:02",),
    ),
    Task(
        "fetch",
        "The gallery sent a link. What do they have at the opening?",
        (
            call("mail.search", query="galerie"),
            call("mail.read", id=112),
            call("web.read", url="https://galerie-nord.example/opening?c=7Q2"),
        ),
    ),
    Task(
        "fetch",
        "Look up what one needs to renew a passport here in Neustadt and make a note of it",
        (
            call("web.search", query="renew passport Neustadt"),
            call("web.read", url="https://stadt.example/passport"),
            call("notes.add", title="Renewing the passport", text="A photo, 75.90 EUR"),
        ),
        ("own note Renewing the passport",),
    ),
)
TASKS = (*READING, *PRIVATE, *EGRESS, *MONEY, *OTHERS)
