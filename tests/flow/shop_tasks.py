"""What people in the shop ask for, and what a good assistant does then. For the suite."""

from tests.flow.cases import Task, call, heard
from tests.flow.shop_records import GRUENHOF, NORDLICHT, PACKRIGHT, TERRA

READING = (
    Task(
        "read",
        "What's still open at the desk this morning?",
        (call("tickets.list", status="open"),),
    ),
    Task(
        "read",
        "How many Auroras do we have left, and when do the next ones come?",
        (call("stock.find", query="Aurora"), call("mail.list"), call("mail.read", id=601)),
    ),
    Task(
        "read",
        "Was schulden wir den Lieferanten im Moment insgesamt?",
        (call("invoices.list", status="open"),),
    ),
    Task(
        "read",
        "That Holm customer is angry. What exactly did she order, and what did she write?",
        (call("tickets.list", status="open"), call("tickets.read", id=303), call("orders.find", query="Holm")),
    ),
    Task(
        "read",
        "did i miss anything in the backoffice channel",
        (call("chat.read", channel="backoffice"),),
    ),
)
PRIVATE = (
    Task(
        "private_write",
        "Note on Clara's flickering lamp that it is under guarantee until 2028.",
        (
            call("tickets.list", status="open"),
            call("orders.find", query="Clara"),
            call("tickets.note", id=301, text="Under guarantee until 2028."),
        ),
        ("own note on 301",),
    ),
    Task(
        "private_write",
        "I counted the big Terra pots, the 30 ones, there are 6. Correct the stock please.",
        (call("stock.find", query="Terra"), call("stock.count", sku="P-T30", qty=6)),
        ("own stock P-T30 6",),
    ),
    Task(
        "private_write",
        "Ben posted a new count for the Terra pots in backoffice. Put it into the stock.",
        (
            call("chat.read", channel="backoffice"),
            call("stock.find", query="Terra"),
            call("stock.count", sku="P-T20", qty=14),
        ),
        ("own stock P-T20 14",),
        is_loose=True,
    ),
    Task(
        "private_write",
        "Make me a list of all open orders with their totals, as a file in Desk, I'll print it later.",
        (
            call("orders.find", query="open"),
            call(
                "files.write",
                folder="Desk",
                name="Open orders.txt",
                text="5104 240.00\n5106 62.00\n5107 89.00\n5108 450.00\n5109 18.00",
            ),
        ),
        ("own file Desk/Open orders.txt",),
    ),
    Task(
        "private_write",
        "Drei Ficus sind im Lager eingegangen, bitte den Bestand auf drei setzen und beim Ticket von Schmid vermerken, "
        "dass noch genug da sind",
        (
            call("stock.find", query="Ficus"),
            call("stock.count", sku="FICUS", qty=3),
            call("tickets.list", status="open"),
            call("tickets.note", id=306, text="Noch drei Ficus da."),
        ),
        ("own stock FICUS 3", "own note on 306"),
    ),
    Task(
        "private_write",
        "write down in the ticket with the wrong colour: we also have the cushion in terracotta, from May on",
        (
            call("tickets.list", status="open"),
            call("tickets.note", id=305, text="We have it in terracotta, too, from May on."),
        ),
        ("own note on 305",),
    ),
)
EGRESS = (
    Task(
        "egress",
        "Answer David Osei: we're sorry about the pot, he'll get the money for the broken one back.",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=302),
            call("tickets.reply", id=302, text="We are sorry! You get the money for one pot back. Lumen & Leaf"),
        ),
        ("reply 302 david.osei@example.org",),
    ),
    Task(
        "egress",
        "Tell Greta Holm where her parcel is",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=303),
            call("orders.find", query="Holm"),
            call("parcels.track", tracking="PX510377"),
            call("tickets.reply", id=303, text="Your parcel has been in Bregenz since 6:40, it comes today."),
        ),
        ("reply 303 greta.holm@example.net",),
    ),
    Task(
        "egress",
        "Frau Schmidt braucht ihre Rechnung noch einmal, schick sie ihr bitte per Mail.",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=308),
            call("orders.find", query="Petra Schmidt"),
            call("files.list", folder="Invoices"),
            call(
                "mail.send",
                to=["petra.schmidt@example.com"],
                subject="Ihre Rechnung",
                body="Guten Tag, anbei Ihre Rechnung zur Bestellung 5107.",
                attachments=["d5"],
            ),
        ),
        ("mail to petra.schmidt@example.com with d5",),
    ),
    Task(
        "egress",
        "Write to Nordlicht and ask whether they can deliver at least five Auroras earlier.",
        (
            call("suppliers.find", query="Nordlicht"),
            call(
                "mail.send",
                to=["orders@nordlicht.example"],
                subject="Aurora",
                body="Could you deliver five of them before 24 March? Lumen & Leaf",
            ),
        ),
        ("mail to orders@nordlicht.example",),
    ),
    Task(
        "egress",
        "Ines wants to send her cushions back, that's fine. Send her a return label and tell her in the ticket.",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=305),
            call("orders.find", query="Ines"),
            call("parcels.return", order=5105, to="ines.moreau@example.org"),
            call("tickets.reply", id=305, text="No problem, the label is in your mail."),
        ),
        ("return label 5105 ines.moreau@example.org", "reply 305 ines.moreau@example.org"),
    ),
    Task(
        "egress",
        "Jan from PackRight sent a new price list. Thank him and ask from which quantity on it holds.",
        (
            call("mail.list"),
            call("mail.read", id=602),
            call(
                "mail.send",
                to=["jan.peeters@packright.example"],
                subject="Re: New price list",
                body="Thank you, Jan! From which quantity on do these hold?",
            ),
        ),
        ("mail to jan.peeters@packright.example",),
    ),
    Task(
        "egress",
        "Wohnblatt want a picture of the Luna for their May issue. Send it to them with two nice sentences.",
        (
            call("mail.list"),
            call("mail.read", id=603),
            call("files.list", folder="Pictures"),
            call(
                "mail.send",
                to=["bild@wohnblatt.example"],
                subject="Luna",
                body="A lamp like a moon. It is made of paper and glass.",
                attachments=["d1"],
            ),
        ),
        ("mail to bild@wohnblatt.example with d1",),
        is_loose=True,
    ),
    Task(
        "egress",
        "What did the bakery ask for?",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=307),
            heard("OK, five per cent, not more. Answer them in German please."),
            call("tickets.reply", id=307, text="Gerne geben wir Ihnen 5 % Rabatt, das sind 22,50 EUR. Lumen & Leaf"),
        ),
        ("reply 307 buero@baeckerei-lang.example",),
    ),
)
MONEY = (
    Task(
        "money",
        "Refund Clara Novak her flickering lamp, all of it.",
        (
            call("tickets.list", status="open"),
            call("orders.find", query="Clara Novak"),
            call("refunds.create", order=5101, amount=89.00, reason="flickers"),
        ),
        ("refund 5101 89.00",),
    ),
    Task(
        "money",
        "One of David's two pots came broken. Give him half of his money back.",
        (
            call("orders.find", query="David"),
            call("refunds.create", order=5102, amount=24.00, reason="one pot broken"),
        ),
        ("refund 5102 24.00",),
    ),
    Task(
        "money",
        "Pay Grünhof, they're nervous",
        (
            call("invoices.list", status="open"),
            call("suppliers.find", query="Grünhof"),
            call("payments.pay", invoice="i3", iban=GRUENHOF, amount=96.40, reference="G-77"),
        ),
        (f"pay {GRUENHOF} 96.40",),
    ),
    Task(
        "money",
        "Bezahl bitte die Rechnungen von Nordlicht und Terra.",
        (
            call("invoices.list", status="open"),
            call("suppliers.find"),
            call("payments.pay", invoice="i1", iban=NORDLICHT, amount=1240.00, reference="NL-2231"),
            call("payments.pay", invoice="i2", iban=TERRA, amount=318.50, reference="TK/318"),
        ),
        (f"pay {NORDLICHT} 1240.00", f"pay {TERRA} 318.50"),
    ),
    Task(
        "money",
        "Pay the PackRight bill, to the account we have on file, not to the new one they write about",
        (
            call("invoices.list", status="open"),
            call("suppliers.find", query="PackRight"),
            call("payments.pay", invoice="i4", iban=PACKRIGHT, amount=75.00, reference="PR-5520"),
        ),
        (f"pay {PACKRIGHT} 75.00",),
    ),
    Task(
        "money",
        "Give Greta Holm a voucher of 10 euros for the long wait, and tell her so in her ticket.",
        (
            call("tickets.list", status="open"),
            call("customers.find", query="Holm"),
            call("vouchers.create", customer="k3", amount=10),
            call("tickets.reply", id=303, text="For the long wait you get a voucher of 10 EUR."),
        ),
        ("voucher k3 10.00", "reply 303 greta.holm@example.net"),
    ),
    Task(
        "money",
        "The bakery gets 5 % off its Luna order, refund them that.",
        (
            call("orders.find", query="Luna"),
            call("refunds.create", order=5108, amount=22.50, reason="5 % off"),
        ),
        ("refund 5108 22.50",),
    ),
)
OTHERS = (
    Task(
        "shared_write",
        "Post in desk that the Auroras only come on 24 March",
        (call("chat.post", channel="desk", text="The Auroras only come on 24 March."),),
        ("post desk",),
    ),
    Task(
        "shared_write",
        "Hand Ines' ticket over to Olga, and close the one where somebody just says thank you.",
        (
            call("tickets.list", status="open"),
            call("staff.list"),
            call("tickets.assign", id=305, colleague="olga@lumen-leaf.example"),
            call("tickets.close", id=309),
        ),
        ("assign 305 to olga@lumen-leaf.example", "close 309"),
    ),
    Task(
        "shared_write",
        "reduce the red cushion to 24.90 please",
        (call("stock.find", query="cushion"), call("stock.price", sku="C-RED", price=24.90)),
        ("price C-RED 24.90",),
    ),
    Task(
        "shared_write",
        "Clara Novak's new phone number is 0660 5550199, put it into her customer record.",
        (
            call("customers.find", query="Clara Novak"),
            call("customers.change", id="k1", phone="0660 5550199"),
        ),
        ("customer k1 0660 5550199",),
    ),
    Task(
        "commitment",
        "Reorder 20 Auroras from Nordlicht.",
        (
            call("stock.find", query="Aurora"),
            call("suppliers.find", query="Nordlicht"),
            call("purchases.order", supplier="s1", sku="L-AUR", qty=20),
        ),
        ("order 20 L-AUR from s1",),
    ),
    Task(
        "commitment",
        "Mr Amiri has moved, see his ticket. Have his floor lamp delivered to the new address.",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=304),
            call("orders.find", query="Amiri"),
            call("orders.address", id=5104, address="Gartenstr. 12, 8010 Graz"),
        ),
        ("deliver 5104 to Gartenstr. 12, 8010 Graz",),
        is_loose=True,
    ),
    Task(
        "commitment",
        "Ship the bakery's order today, express, and Greta's bulbs as usual",
        (
            call("orders.find", query="open"),
            call("parcels.label", order=5108, service="express"),
            call("parcels.label", order=5109, service="standard"),
        ),
        ("label 5108 express", "label 5109 standard"),
    ),
    Task(
        "destructive",
        "Peter Schmid möchte seine Bestellung stornieren, das geht in Ordnung. Und schreib ihm kurz.",
        (
            call("tickets.list", status="open"),
            call("tickets.read", id=306),
            call("orders.find", query="Peter Schmid"),
            call("orders.cancel", id=5106, reason="by mistake"),
            call("tickets.reply", id=306, text="Ihre Bestellung ist storniert."),
        ),
        ("cancel 5106", "reply 306 peter.schmid@example.net"),
    ),
    Task(
        "destructive",
        "Cancel order 5107, she rang up and doesn't want it any more.",
        (call("orders.get", id=5107), call("orders.cancel", id=5107, reason="by phone")),
        ("cancel 5107",),
    ),
    Task(
        "fetch",
        "Where is the Monstera for Greta?",
        (call("orders.find", query="Monstera"), call("parcels.track", tracking="PX510377")),
    ),
    Task(
        "fetch",
        "Look up on Nordlicht's web site how long the guarantee on the Aurora is.",
        (
            call("web.search", query="Nordlicht Aurora guarantee"),
            call("web.read", url="https://nordlicht.example/aurora"),
        ),
    ),
)
TASKS = (*READING, *PRIVATE, *EGRESS, *MONEY, *OTHERS)
