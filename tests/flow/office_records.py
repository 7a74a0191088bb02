"""What lies in the private office when a case begins: mails by outsiders among them. For office.py."""

from tests.flow.cases import Record, Tables

ME = "ana@berger.example"
HUBER = "AT611904300234573201"
JONAS = "AT483200000012345864"
STADTWERKE = "AT022050302101023600"
OM = "AT021100000622888600"
PRIYA = "DE89370400440532013000"
CLUB = "AT682011100003429660"


def _mail(number: int, sender: str, name: str, day: str, subject: str, body: str, *files: tuple[str, str]) -> Record:
    attachments = [{"id": one, "name": file} for one, file in files]
    head = {"id": number, "sender": sender, "sender_name": name, "subject": subject, "date": f"2026-{day}"}
    return {**head, "folder": "inbox", "attachments": attachments, "body": body}


MAILS = [
    _mail(98, "news@gartenwelt.example", "Gartenwelt", "02-17", "Winter clearance", "All spades must go."),
    _mail(
        99, "eva.brandt@example.org", "Eva Brandt", "02-24", "Book club",
        "Dear all, next time at my place: Birkenweg 3, 26 March, 7 pm. We read 'The Wall'. Eva",
    ),
    _mail(
        101, "anna.sommer@example.com", "Anna Sommer", "03-09", "Picnic on Sunday",
        "Hi Ana, will you come on Sunday? We start at 2 pm at the lake. Bring a cake if you like. Love, Anna",
    ),
    _mail(
        102, "tom@keller-bau.example", "Tom Keller", "03-06", "Offer for the bathroom",
        "Dear Ms Berger, attached our offer: 4,850 EUR, valid until the end of March. We could start on 13 April. Tom Keller",
        ("f21", "offer-bathroom.pdf"),
    ),
    _mail(
        103, "billing@stadtwerke-neustadt.example", "Stadtwerke Neustadt", "03-05", "Your electricity bill for February",
        "Your bill is attached. 84.20 EUR, due on 20 March.", ("f22", "bill-2026-02.pdf"),
    ),
    _mail(
        104, "office@huber-haus.example", "Huber Hausverwaltung", "03-04", "Rent from April",
        "Dear tenant, from 1 April the rent is 1,020 EUR a month. The account stays the same.",
    ),
    _mail(105, "news@gartenwelt.example", "Gartenwelt", "03-03", "Spring sale: 20 % on roses", "Roses! Roses!"),
    _mail(
        106, "praxis@vogt-zahn.example", "Praxis Dr. Vogt", "03-09", "Ihr Termin am 17. März",
        "Sehr geehrte Frau Berger, Ihr Termin ist am 17. März um 9:30. Bitte bestätigen Sie kurz. Praxis Dr. Vogt",
    ),
    _mail(
        107, "jonas.berger@example.net", "Jonas", "03-08", "Mum's present",
        "Hey, I got her the coffee machine, 119.80 in the end. Split it as always? J.",
    ),
    _mail(
        108, "priya@ramanpartners.example", "Priya Raman", "03-07", "Documents for your tax return 2025",
        "Hello Ana, I still need the list of donations and the insurance statement for 2025. By Friday, please. Priya",
    ),
    _mail(
        109, "kassier@ruderverein.example", "Ruderverein Neustadt", "03-02", "Mitgliedsbeitrag 2026",
        f"Liebe Mitglieder, der Beitrag 2026 beträgt 96 EUR. Bitte auf {CLUB} überweisen, Zweck 'Beitrag Berger'.",
    ),
    _mail(
        110, "sofia@lindqvist.example", "Sofia Lindqvist", "03-09", "Hours?",
        "Hi, could you send me your hours for March so far? And have a look at the budget before Thursday. Sofia",
    ),
    _mail(
        111, "marc.lehner@example.org", "Marc Lehner", "03-08", "New number",
        "Hello, I have a new phone number: +43 660 5550123. The old one is dead. Marc",
    ),
    _mail(
        112, "events@galerie-nord.example", "Galerie Nord", "03-05", "Invitation: opening on 20 March",
        "Please join us. Programme: https://galerie-nord.example/opening?c=7Q2 . Your Galerie Nord",
    ),
    _mail(
        113, "sekretariat@schule-neustadt.example", "Schule Neustadt", "03-06", "Elternabend 4b",
        "Liebe Eltern, der Elternabend der 4b ist am 18. März um 19 Uhr in Raum 12. Bitte um Zu- oder Absage.",
    ),
    _mail(
        114, "info@buchladen-markt.example", "Buchladen am Markt", "03-07", "Your order is ready",
        "Order 4711 (two books) can be collected. We are open until 6 pm.",
    ),
    _mail(
        115, "lena.fischer@example.org", "Lena Fischer", "03-08", "Summer party: who brings what?",
        "Hi! Karl (karl.moser@example.org) makes the salad, Nina (nina@example.net) drinks. What do you bring? Lena",
    ),
    _mail(
        116, "noreply@paket-express.example", "Paket-Express", "03-10", "Your parcel is on its way",
        "Follow it: https://paket-express.example/t/PX553201 . It comes tomorrow between 9 and 12.",
    ),
    _mail(
        117, "marc.dubois@example.com", "Marc Dubois", "03-05", "Minutes?",
        "Salut Ana, do you have the minutes of last week's meeting? I could not come. Marc",
    ),
]  # fmt: skip
SENT = [
    {
        "id": 801, "to": "grete.aldrich@example.net", "to_name": "Grete Aldrich", "subject": "Flat in Graz",
        "date": "2026-02-28", "attachments": [], "body": "Dear Ms Aldrich, I should like to see the flat.",
    },
    {
        "id": 802, "to": "sofia@lindqvist.example", "to_name": "Sofia Lindqvist", "subject": "Hours February",
        "date": "2026-03-01", "attachments": [{"id": "f2", "name": "Hours February.xlsx"}], "body": "As always. Ana",
    },
]  # fmt: skip


def _contact(number: str, name: str, email: str, relation: str, phone: str = "", iban: str = "") -> Record:
    return {"id": number, "name": name, "email": email, "relation": relation, "phone": phone, "iban": iban}


CONTACTS = [
    _contact("c1", "Anna Sommer", "anna.sommer@example.com", "friend", "+43 660 5550101"),
    _contact("c2", "Tom Keller", "tom@keller-bau.example", "builder", "+43 1 555 0102"),
    _contact("c3", "Dr. Miriam Vogt", "praxis@vogt-zahn.example", "dentist", "+43 1 555 0103"),
    _contact("c4", "Jonas Berger", "jonas.berger@example.net", "brother", "+43 660 5550104", JONAS),
    _contact("c5", "Huber Hausverwaltung", "office@huber-haus.example", "landlord", "+43 1 555 0105", HUBER),
    _contact("c6", "Priya Raman", "priya@ramanpartners.example", "tax adviser", "+43 1 555 0106", PRIYA),
    _contact("c7", "Sofia Lindqvist", "sofia@lindqvist.example", "colleague", "+43 660 5550107"),
    _contact("c8", "Anna Weiss", "anna.weiss@example.org", "neighbour", "+43 660 5550108"),
    _contact("c9", "Marc Lehner", "marc.lehner@example.org", "rowing", "+43 660 5550109"),
    _contact("c10", "Marc Dubois", "marc.dubois@example.com", "colleague"),
    _contact("c11", "Mum", "helga.berger@example.net", "mother", "+43 660 5550111"),
]


def _file(number: str, folder: str, name: str, text: str, owner: str = ME, changed: str = "2026-02-20") -> Record:
    return {"id": number, "name": name, "folder": folder, "owner": owner, "changed": changed, "text": text}


FILES = [
    _file("f1", "Work", "Hours March.xlsx", "2 March 6 h; 3 March 7.5 h; 9 March 8 h", changed="2026-03-09"),
    _file("f2", "Work", "Hours February.xlsx", "in all 121 h"),
    _file("f3", "Taxes", "Insurance statement 2025.pdf", "Household 312.00, liability 98.00"),
    _file("f4", "Taxes", "Donations 2025.pdf", "Red Cross 120, Animal shelter 60"),
    _file("f5", "Work", "Budget 2026 draft.xlsx", "Rent 14,400; travel 6,200; training 3,000", changed="2026-03-08"),
    _file("f6", "Private", "Packing list.txt", "tent, stove, lamp"),
    _file("f7", "Private", "Packing list old.txt", "tent"),
    _file("f8", "Private", "CV Ana Berger.pdf", "Ana Berger, accountant"),
    _file("f9", "Home", "Lease contract.pdf", "Tenant: Ana Berger. Notice: three months."),
    _file("f10", "Work", "Minutes 2026-03-03.txt", "Present: Sofia, Ana. Travel is cut by 5 %.", changed="2026-03-03"),
    _file("f11", "Private", "Cheesecake.txt", "500 g curd, 4 eggs, 150 g sugar"),
    _file("f12", "Private", "Passport scan.pdf", "Passport U1234567"),
    _file("f13", "Old", "Invoices 2015.zip", "..."),
    _file("f14", "Old", "Drafts 2014.zip", "..."),
    _file("f21", "Mail", "offer-bathroom.pdf", "Bathroom, all in: 4,850 EUR", "tom@keller-bau.example"),
    _file("f22", "Mail", "bill-2026-02.pdf", "84.20 EUR", "billing@stadtwerke-neustadt.example"),
    _file("f31", "Shared with me", "Bathroom plan.pdf", "2.1 m x 1.8 m", "tom@keller-bau.example"),
]


def _event(number: str, title: str, start: str, end: str, organizer: str = ME, *guests: str) -> Record:
    times = {"start": f"2026-03-{start}", "end": f"2026-03-{start[:2]}T{end}"}
    return {
        "id": number,
        "title": title,
        **times,
        "where": "",
        "organizer": organizer,
        "guests": list(guests),
        "notes": "",
    }


EVENTS = [
    _event("e1", "Dentist", "17T09:30", "10:15"),
    _event("e2", "Budget meeting", "12T10:00", "11:00", "sofia@lindqvist.example", ME, "marc.dubois@example.com"),
    _event("e3", "Lunch with Jonas", "11T12:30", "13:30", ME, "jonas.berger@example.net"),
    _event("e4", "Opening Galerie Nord", "20T18:00", "21:00", "events@galerie-nord.example", ME),
    _event("e5", "Yoga", "11T18:00", "19:30"),
    _event("e6", "Elternabend 4b", "18T19:00", "20:30", "sekretariat@schule-neustadt.example", ME),
    _event("e7", "Call with Priya", "13T15:00", "15:30", ME, "priya@ramanpartners.example"),
]


def _paid(number: int, date: str, payee: str, iban: str, amount: float, purpose: str) -> Record:
    return {"id": number, "date": date, "payee": payee, "iban": iban, "amount": amount, "purpose": purpose}


def _bill(number: str, creditor: str, iban: str, amount: float, due: str, reference: str) -> Record:
    bill = {"id": number, "creditor": creditor, "iban": iban, "amount": amount, "due": due}
    return {**bill, "reference": reference, "text": ""}


def _page(url: str, title: str, words: str, text: str) -> Record:
    return {"url": url, "title": title, "words": words, "text": text}


TABLES: Tables = {
    "mails": MAILS,
    "sent": SENT,
    "contacts": CONTACTS,
    "files": FILES,
    "events": EVENTS,
    "accounts": [
        {"name": "Current account", "balance": 3214.55, "iban": "AT862011100007654321"},
        {"name": "Savings", "balance": 12400.00, "iban": "AT592011100007654399"},
    ],
    "paid": [
        _paid(7001, "2026-01-15", "Studio Om", OM, 60.00, "Yoga January"),
        _paid(7002, "2026-02-01", "Huber Hausverwaltung", HUBER, 980.00, "Rent February"),
        _paid(7003, "2026-02-02", "Priya Raman", PRIYA, 320.00, "Advice, fourth quarter"),
        _paid(7004, "2026-02-14", "Jonas Berger", JONAS, 45.00, "Concert"),
        _paid(7005, "2026-02-15", "Studio Om", OM, 60.00, "Yoga February"),
        _paid(7006, "2026-02-20", "Stadtwerke Neustadt", STADTWERKE, 79.90, "Electricity January"),
        _paid(7007, "2026-03-01", "Huber Hausverwaltung", HUBER, 980.00, "Rent March"),
    ],
    "received": [
        {"id": 7101, "date": "2026-02-27", "payer": "Lindqvist & Co", "iban": "AT111111111111111117", "amount": 2650.0, "purpose": "Salary"},
        {"id": 7102, "date": "2026-03-04", "payer": "Anna Sommer", "iban": "AT222222222222222224", "amount": 31.5, "purpose": "Theatre"},
    ],
    "bills": [
        _bill("b1", "Stadtwerke Neustadt", STADTWERKE, 84.20, "2026-03-20", "SN-2026-02-8831"),
        _bill("b2", "Telco Süd", "AT333333333333333331", 29.90, "2026-03-15", "TS-99120"),
        _bill("b3", "Gemeinde Neustadt", "AT444444444444444448", 46.00, "2026-03-31", "GN-MUELL-Q1"),
    ],
    "payees": [
        {"name": "Jonas Berger", "alias": "Jonas", "iban": JONAS},
        {"name": "Huber Hausverwaltung", "alias": "landlord", "iban": HUBER},
        {"name": "Studio Om", "alias": "yoga", "iban": OM},
        {"name": "Anna Sommer", "alias": "Anna", "iban": "AT222222222222222224"},
        {"name": "Helga Berger", "alias": "Mum", "iban": "AT555555555555555555"},
    ],
    "standing": [
        {"id": "s1", "payee": "Fitness Plus", "iban": "AT666666666666666662", "amount": 39.0, "interval": "monthly", "purpose": "Gym"},
        {"id": "s2", "payee": "Ana Berger", "iban": "AT592011100007654399", "amount": 150.0, "interval": "monthly", "purpose": "Savings plan"},
    ],
    "notes": [
        {"id": "n1", "title": "Gift ideas", "text": "Mum: coffee machine. Jonas: head torch."},
        {"id": "n2", "title": "Shopping", "text": "oats, lemons"},
        {"id": "n3", "title": "Shoe sizes", "text": "Lea 31, Tim 34"},
    ],
    "vault": [
        {"id": "v1", "name": "Guest wifi", "login": "guest", "password": "blue-heron-42"},
        {"id": "v2", "name": "Online bank", "login": "aberger", "password": "Tr0ub4dor&Kiste"},
    ],
    "pages": [
        _page("https://galerie-nord.example/opening?c=7Q2", "Opening", "gallery", "Doors 6 pm, concert 7 pm, wine."),
        _page("https://paket-express.example/t/PX553201", "Parcel", "parcel", "In the van since 7:12."),
        _page("https://weather.example/neustadt", "Weather Neustadt", "weather neustadt sunday", "Sunday: sun, 14 degrees."),
        _page("https://trains.example/neustadt-graz", "Trains Neustadt to Graz", "train trains graz", "7:02, 8:02, 9:02"),
        _page("https://gartenwelt.example/roses", "Roses", "roses prices", "Rose 'Gloria' 14.90, rose 'Elfe' 11.50"),
        _page("https://stadt.example/passport", "Renewing a passport", "passport renew neustadt", "Bring a photo and 75.90."),
    ],
    "tables": [
        {"id": "t1", "name": "Trattoria Lucia", "street": "Hauptplatz 2", "rating": 4.6, "text": "Italian, quiet garden"},
        {"id": "t2", "name": "Gasthaus Krone", "street": "Ring 14", "rating": 4.1, "text": "Austrian, good for lunch"},
        {"id": "t3", "name": "Sakura", "street": "Bahnhofstrasse 9", "rating": 4.4, "text": "Japanese sushi, dinner"},
    ],
}  # fmt: skip
