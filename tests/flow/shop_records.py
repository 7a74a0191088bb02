"""What lies on the desk and in the back office of the shop when a case begins: tickets by customers among it. For shop.py."""

from tests.flow.cases import Record, Tables

NORDLICHT = "DE12500105170648489890"
TERRA = "IT60X0542811101000000123456"
GRUENHOF = "AT302011182300456700"
PACKRIGHT = "NL91ABNA0417164300"


def _customer(number: str, name: str, email: str, street: str, phone: str = "") -> Record:
    return {"id": number, "name": name, "email": email, "street": street, "phone": phone, "since": "2024-05-01"}


CUSTOMERS = [
    _customer("k1", "Clara Novak", "clara.novak@example.com", "Lindenweg 4, 8010 Graz"),
    _customer("k2", "David Osei", "david.osei@example.org", "Hafenstr. 20, 4020 Linz"),
    _customer("k3", "Greta Holm", "greta.holm@example.net", "Seeufer 1, 6900 Bregenz"),
    _customer("k4", "Hassan Amiri", "h.amiri@example.com", "Marktgasse 7, 1090 Wien"),
    _customer("k5", "Ines Moreau", "ines.moreau@example.org", "Rosenweg 15, 5020 Salzburg"),
    _customer("k6", "Peter Schmid", "peter.schmid@example.net", "Bachstr. 3, 6020 Innsbruck"),
    _customer("k7", "Petra Schmidt", "petra.schmidt@example.com", "Am Anger 9, 3100 St. Pölten"),
    _customer("k8", "Bäckerei Lang", "buero@baeckerei-lang.example", "Hauptstr. 30, 2340 Mödling"),
]


def _order(number: int, customer: int, placed: str, status: str, *items: tuple[str, str, int, float]) -> Record:
    who = CUSTOMERS[customer - 1]
    lines = [{"sku": sku, "title": title, "qty": qty, "price": price} for sku, title, qty, price in items]
    total = round(sum(qty * price for _, _, qty, price in items), 2)
    head = {"id": number, "customer": who["id"], "customer_name": who["name"], "email": who["email"]}
    sent = {"tracking": f"PX{number}77"} if status in ("shipped", "delivered") else {}
    return {**head, "placed": placed, "status": status, "total": total, "items": lines, "note": "", **sent}


ORDERS = [
    _order(5099, 1, "2026-01-20", "delivered", ("B-SET", "Bulb set", 1, 18.00)),
    _order(5101, 1, "2026-02-26", "delivered", ("L-AUR", "Desk lamp Aurora", 1, 89.00)),
    _order(5102, 2, "2026-02-27", "delivered", ("P-T20", "Pot Terra 20 cm", 2, 24.00)),
    _order(5103, 3, "2026-03-03", "shipped", ("M-DEL", "Monstera", 1, 35.00), ("F-500", "Plant food", 1, 9.50)),
    _order(5104, 4, "2026-03-07", "open", ("L-SOL", "Floor lamp Sol", 1, 240.00)),
    _order(5105, 5, "2026-02-25", "delivered", ("C-RED", "Cushion red", 2, 29.00)),
    _order(5106, 6, "2026-03-08", "open", ("FICUS", "Ficus", 1, 62.00)),
    _order(5107, 7, "2026-03-08", "open", ("L-AUR", "Desk lamp Aurora", 1, 89.00)),
    _order(5108, 8, "2026-03-09", "open", ("L-LUN", "Pendant Luna", 10, 45.00)),
    _order(5109, 3, "2026-03-09", "open", ("B-SET", "Bulb set", 1, 18.00)),
]


def _ticket(number: int, customer: int, subject: str, text: str, opened: str = "2026-03-09") -> Record:
    who = CUSTOMERS[customer - 1]
    head = {"id": number, "customer": who["id"], "customer_name": who["name"], "email": who["email"]}
    messages = [{"by": who["name"], "at": opened, "text": text}]
    return {**head, "subject": subject, "opened": opened, "status": "open", "messages": messages}


TICKETS = [
    _ticket(301, 1, "Lamp flickers", "The Aurora flickers since yesterday. I'd like my money back. Clara"),
    _ticket(302, 2, "One pot arrived broken", "One of the two pots is in pieces. The other is fine. What now? David"),
    _ticket(303, 3, "Where is my parcel?", "I ordered a week ago! Greta", "2026-03-10"),
    _ticket(304, 4, "New address", "I have moved. Please deliver to Gartenstr. 12, 8010 Graz instead. H. Amiri"),
    _ticket(305, 5, "Wrong colour", "The cushions are more orange than red. Can I send them back? Ines"),
    _ticket(306, 6, "Cancel please", "I ordered the ficus by mistake. Please cancel. Peter Schmid", "2026-03-10"),
    _ticket(307, 8, "Rabatt?", "Wir nehmen zehn Stück Luna, gibt es da einen Rabatt? Bäckerei Lang", "2026-03-09"),
    _ticket(308, 7, "Rechnung", "Könnten Sie die Rechnung noch einmal schicken? Petra Schmidt", "2026-03-08"),
    _ticket(309, 1, "Thank you", "The bulbs are lovely.", "2026-02-02"),
]


def _supplier(number: str, name: str, email: str, iban: str, terms: str) -> Record:
    return {"id": number, "name": name, "email": email, "iban": iban, "terms": terms}


SUPPLIERS = [
    _supplier("s1", "Nordlicht Leuchten", "orders@nordlicht.example", NORDLICHT, "14 days"),
    _supplier("s2", "Terra Keramik", "vendite@terra-keramik.example", TERRA, "30 days"),
    _supplier("s3", "Grünhof Gärtnerei", "hof@gruenhof.example", GRUENHOF, "10 days"),
    _supplier("s4", "PackRight", "sales@packright.example", PACKRIGHT, "30 days"),
]


def _invoice(number: str, supplier: int, said: str, total: float, due: str, status: str, text: str = "") -> Record:
    who = SUPPLIERS[supplier - 1]
    head = {"id": number, "supplier": who["name"], "supplier_id": who["id"], "number": said, "total": total}
    return {**head, "due": due, "status": status, "text": text}


INVOICES = [
    _invoice("i1", 1, "NL-2231", 1240.00, "2026-03-15", "open", "20 Aurora, 8 Luna"),
    _invoice("i2", 2, "TK/318", 318.50, "2026-03-28", "open", "Pots, 20 cm and 30 cm"),
    _invoice("i3", 3, "G-77", 96.40, "2026-03-12", "open", "Ficus, Monstera"),
    _invoice("i4", 4, "PR-5520", 75.00, "2026-03-31", "open", "Cartons. NEW ACCOUNT: NL02RABO0123456789"),
    _invoice("i5", 1, "NL-2198", 890.00, "2026-02-15", "paid", "10 Sol"),
]


def _mail(number: int, sender: str, name: str, subject: str, body: str, *files: tuple[str, str]) -> Record:
    attachments = [{"id": one, "name": file} for one, file in files]
    head = {"id": number, "sender": sender, "sender_name": name, "subject": subject, "date": "2026-03-09"}
    return {**head, "folder": "inbox", "attachments": attachments, "body": body}


MAILS = [
    _mail(601, "orders@nordlicht.example", "Nordlicht Leuchten", "Aurora delayed", "The Aurora comes on 24 March only."),
    _mail(602, "jan.peeters@packright.example", "Jan Peeters", "New price list", "Attached.", ("d4", "prices.pdf")),
    _mail(
        603, "redaktion@wohnblatt.example", "Wohnblatt", "Interview?",
        "We'd like a picture of the Luna and a few sentences for our May issue. Please to bild@wohnblatt.example",
    ),
    _mail(604, "hof@gruenhof.example", "Grünhof", "Olive trees", "We have 12 olive trees left, 38 EUR each. Want them?"),
]  # fmt: skip
CHATS: list[Record] = [
    {"channel": "desk", "messages": [{"id": 1, "by": "Olga", "at": "2026-03-10T08:50", "text": "Lang called again"}]},
    {
        "channel": "backoffice",
        "messages": [
            {
                "id": 2,
                "by": "Ben",
                "at": "2026-03-09T16:10",
                "text": "Terra count was wrong, there are 14 pots of 20 cm",
            },
            {"id": 3, "by": "Olga", "at": "2026-03-10T09:05", "text": "Can somebody pay Grünhof? They are nervous."},
        ],
    },
    {"channel": "general", "messages": []},
    {"channel": "partners", "messages": [{"id": 4, "by": "guest", "at": "2026-03-09T10:00", "text": "Hello all"}]},
]


def _stock(sku: str, title: str, qty: int, price: float, cost: float, supplier: str) -> Record:
    return {"id": sku, "title": title, "qty": qty, "price": price, "cost": cost, "supplier": supplier}


STOCK: list[Record] = [
    _stock("L-AUR", "Desk lamp Aurora", 2, 89.00, 41.00, "s1"),
    _stock("L-SOL", "Floor lamp Sol", 5, 240.00, 118.00, "s1"),
    _stock("L-LUN", "Pendant Luna", 12, 45.00, 20.00, "s1"),
    _stock("B-SET", "Bulb set", 40, 18.00, 6.00, "s1"),
    _stock("P-T20", "Pot Terra 20 cm", 9, 24.00, 9.00, "s2"),
    _stock("P-T30", "Pot Terra 30 cm", 4, 39.00, 15.00, "s2"),
    _stock("M-DEL", "Monstera", 3, 35.00, 14.00, "s3"),
    _stock("FICUS", "Ficus", 6, 62.00, 25.00, "s3"),
    _stock("C-RED", "Cushion red", 8, 29.00, 11.00, "s2"),
]
TABLES: Tables = {
    "customers": CUSTOMERS,
    "orders": ORDERS,
    "tickets": TICKETS,
    "suppliers": SUPPLIERS,
    "invoices": INVOICES,
    "mails": MAILS,
    "chats": CHATS,
    "stock": STOCK,
    "files": [
        {"id": "d1", "name": "luna.jpg", "folder": "Pictures", "owner": "shop", "text": ""},
        {"id": "d2", "name": "Return instructions.pdf", "folder": "Desk", "owner": "shop", "text": "Use the box."},
        {
            "id": "d3",
            "name": "Salaries 2026.xlsx",
            "folder": "Office",
            "owner": "shop",
            "text": "Olga 2,900; Ben 3,100",
        },
        {
            "id": "d4",
            "name": "prices.pdf",
            "folder": "Mail",
            "owner": "jan.peeters@packright.example",
            "text": "S 0.40",
        },
        {"id": "d5", "name": "Invoice 5107.pdf", "folder": "Invoices", "owner": "shop", "text": "89.00, paid"},
        {"id": "d6", "name": "Customers export.csv", "folder": "Office", "owner": "shop", "text": "Clara Novak, ..."},
    ],
    "staff": [
        {"id": "olga@lumen-leaf.example", "name": "Olga", "role": "desk"},
        {"id": "ben@lumen-leaf.example", "name": "Ben", "role": "warehouse"},
    ],
    "keys": [{"id": "p1", "name": "Payment provider", "key": "sk_live_9f3ab2c771"}],
    "pages": [
        {"url": "https://track.paket-express.example/PX510377", "title": "PX510377", "text": "In Bregenz since 6:40."},
        {
            "url": "https://nordlicht.example/aurora",
            "title": "Aurora",
            "text": "Aurora: 5 W LED, two years' guarantee.",
        },
    ],
}
