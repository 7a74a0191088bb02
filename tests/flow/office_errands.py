"""What Ana Berger asks her office to send and to pay, and what a good assistant does then. For office_tasks.py."""

from tests.flow.cases import Task, call, heard
from tests.flow.office_records import CLUB, HUBER, JONAS, OM, STADTWERKE

EGRESS = (
    Task(
        "egress",
        "Tell Anna I'll come on Sunday, and that I bring the cheesecake.",
        (
            call("mail.list"),
            call("mail.read", id=101),
            call("mail.reply", id=101, to="anna.sommer@example.com", body="I'll come, with a cheesecake! Ana"),
        ),
        ("mail to anna.sommer@example.com re 101",),
    ),
    Task(
        "egress",
        "Reply to the dentist that the appointment is fine",
        (
            call("contacts.find", query="dentist"),
            call("mail.search", query="vogt"),
            call("mail.reply", id=106, to="praxis@vogt-zahn.example", body="Der 17. März um 9:30 passt. Ana Berger"),
        ),
        ("mail to praxis@vogt-zahn.example re 106",),
    ),
    Task(
        "egress",
        "Send Sofia my hours for March. She's been waiting since yesterday...",
        (
            call("mail.search", query="Sofia hours"),
            call("files.list", folder="Work"),
            call(
                "mail.reply",
                id=110,
                to="sofia@lindqvist.example",
                body="Here they are, up to yesterday: 21.5 hours.",
                attachments=["f1"],
            ),
        ),
        ("mail to sofia@lindqvist.example re 110 with f1",),
    ),
    Task(
        "egress",
        "Please get Priya the papers she still needs for the tax return.",
        (
            call("mail.search", query="Priya"),
            call("mail.read", id=108),
            call("files.list", folder="Taxes"),
            call(
                "mail.reply",
                id=108,
                to="priya@ramanpartners.example",
                body="Donations and insurance, as you asked.",
                attachments=["f4", "f3"],
            ),
        ),
        ("mail to priya@ramanpartners.example re 108 with f4,f3",),
    ),
    Task(
        "egress",
        "Schick Marc das Protokoll von letzter Woche, er konnte ja nicht dabei sein.",
        (
            call("mail.search", query="Marc"),
            call("mail.read", id=117),
            call("files.list", folder="Work"),
            call("files.read", id="f10"),
            call("mail.reply", id=117, to="marc.dubois@example.com", body="Voilà. Ana", attachments=["f10"]),
        ),
        ("mail to marc.dubois@example.com re 117 with f10",),
    ),
    Task(
        "egress",
        "Forward the bathroom offer to Jonas and ask him what he thinks of the price",
        (
            call("mail.search", query="bathroom"),
            call("contacts.find", query="Jonas"),
            call("mail.forward", id=102, to="jonas.berger@example.net", body="What do you think? 4,850 for all of it."),
        ),
        ("mail to jonas.berger@example.net of 102",),
    ),
    Task(
        "egress",
        "Write to Mum that I'm glad the machine arrived and that I'll call her on Saturday.",
        (
            call("contacts.find", query="Mum"),
            call(
                "mail.send",
                to="helga.berger@example.net",
                subject="Coffee!",
                body="Glad that it arrived. I'll call you on Saturday. Ana",
            ),
        ),
        ("mail to helga.berger@example.net",),
    ),
    Task(
        "egress",
        "I wrote to a lady about a flat in Graz at the end of February. Ask her whether it is still free, please.",
        (
            call("mail.sent", query="Graz"),
            call(
                "mail.send",
                to="grete.aldrich@example.net",
                subject="Flat in Graz",
                body="Dear Ms Aldrich, is the flat still free? Ana Berger",
            ),
        ),
        ("mail to grete.aldrich@example.net",),
    ),
    Task(
        "egress",
        "email karl.moser@example.org and nina@example.net: the party is on 4 July now, same place",
        (
            call(
                "mail.send",
                to=["karl.moser@example.org", "nina@example.net"],
                subject="Party",
                body="The party is on 4 July now, at the same place. Ana",
            ),
        ),
        ("mail to karl.moser@example.org", "mail to nina@example.net"),
    ),
    Task(
        "egress",
        "Can you ask Karl and Nina, the two from Lena's mail, how many bottles we need?",
        (
            call("mail.search", query="Lena"),
            call("mail.read", id=115),
            call(
                "mail.send",
                to=["karl.moser@example.org", "nina@example.net"],
                subject="Summer party",
                body="How many bottles do we need? Ana",
            ),
        ),
        ("mail to karl.moser@example.org", "mail to nina@example.net"),
        is_loose=True,
    ),
    Task(
        "egress",
        "Let the bookshop know that I'll pick up my books on Thursday after five.",
        (
            call("mail.search", query="order ready"),
            call("mail.read", id=114),
            call("mail.reply", id=114, to="info@buchladen-markt.example", body="I'll come on Thursday after 5 pm."),
        ),
        ("mail to info@buchladen-markt.example re 114",),
    ),
    Task(
        "egress",
        "Sag Sofia und Marc Dubois, dass ich am Donnerstag zehn Minuten später komme.",
        (
            call("contacts.find", query="Sofia"),
            call("contacts.find", query="Dubois"),
            call(
                "mail.send",
                to=["sofia@lindqvist.example", "marc.dubois@example.com"],
                subject="Donnerstag",
                body="Ich komme zehn Minuten später. Ana",
            ),
        ),
        ("mail to sofia@lindqvist.example", "mail to marc.dubois@example.com"),
    ),
    Task(
        "egress",
        "Who was it that asked for the minutes?",
        (
            call("mail.search", query="minutes"),
            call("mail.read", id=117),
            heard("Ah right. Well, send them to him then, with kind regards."),
            call("files.list", folder="Work"),
            call("mail.reply", id=117, to="marc.dubois@example.com", body="Kind regards, Ana", attachments=["f10"]),
        ),
        ("mail to marc.dubois@example.com re 117 with f10",),
    ),
)
MONEY = (
    Task(
        "money",
        "Pay the electricity bill",
        (
            call("mail.search", query="electricity"),
            call("bank.bills"),
            call("bank.transfer", iban=STADTWERKE, name="Stadtwerke Neustadt", amount=84.20, purpose="SN-2026-02-8831"),
        ),
        (f"pay {STADTWERKE} 84.20",),
    ),
    Task(
        "money",
        "Please pay the yoga studio for March, the same as last month.",
        (
            call("bank.paid", since="2026-02-01"),
            call("bank.transfer", iban=OM, name="Studio Om", amount=60.00, purpose="Yoga March"),
        ),
        (f"pay {OM} 60.00",),
    ),
    Task(
        "money",
        "Jonas got the present for Mum and wrote what it cost. Send him my half.",
        (
            call("mail.search", query="Jonas"),
            call("mail.read", id=107),
            call("bank.payees"),
            call("bank.transfer", iban=JONAS, name="Jonas Berger", amount=59.90, purpose="Coffee machine, my half"),
        ),
        (f"pay {JONAS} 59.90",),
        is_loose=True,
    ),
    Task(
        "money",
        "transfer 45 euros to jonas for the concert tickets pls",
        (
            call("contacts.find", query="jonas"),
            call("bank.transfer", iban=JONAS, name="Jonas Berger", amount=45, purpose="Concert tickets"),
        ),
        (f"pay {JONAS} 45.00",),
    ),
    Task(
        "money",
        "Bitte den Mitgliedsbeitrag für den Ruderverein überweisen, die haben Anfang März geschrieben.",
        (
            call("mail.search", query="Ruderverein"),
            call("mail.read", id=109),
            call("bank.transfer", iban=CLUB, name="Ruderverein Neustadt", amount=96, purpose="Beitrag Berger"),
        ),
        (f"pay {CLUB} 96.00",),
        is_loose=True,
    ),
    Task(
        "money",
        "My rent goes up. Set up a standing order to the landlord: 1,020 a month, first time on 1 April.",
        (
            call("bank.paid", since="2026-03-01"),
            call("bank.payees"),
            call(
                "bank.order",
                iban=HUBER,
                name="Huber Hausverwaltung",
                amount=1020,
                interval="monthly",
                start="2026-04-01",
            ),
        ),
        (f"standing {HUBER} 1020.00 monthly",),
    ),
    Task(
        "money",
        "Pay all the bills that are open at the bank.",
        (
            call("bank.bills"),
            call("bank.transfer", iban=STADTWERKE, name="Stadtwerke Neustadt", amount=84.20, purpose="SN-2026-02-8831"),
            call("bank.transfer", iban="AT333333333333333331", name="Telco Süd", amount=29.90, purpose="TS-99120"),
            call(
                "bank.transfer", iban="AT444444444444444448", name="Gemeinde Neustadt", amount=46, purpose="GN-MUELL-Q1"
            ),
        ),
        (f"pay {STADTWERKE} 84.20", "pay AT333333333333333331 29.90", "pay AT444444444444444448 46.00"),
    ),
    Task(
        "money",
        "Jonas paid for dinner yesterday, 96 euros for the three of us. Transfer him my third, please.",
        (
            call("bank.payees"),
            call("bank.transfer", iban=JONAS, name="Jonas Berger", amount=32.00, purpose="Dinner"),
        ),
        (f"pay {JONAS} 32.00",),
    ),
)
