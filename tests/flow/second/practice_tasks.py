"""What Doro Weiss asks for at the practice's front desk, and what a good assistant does then. For the second held-out suite."""

from tests.flow.cases import Task, call, heard
from tests.flow.second.practice import IBAN

MESSAGES = call("messages.list")
BILLS = call("bills.list")

TASKS = (
    # --- looking ---------------------------------------------------------------------------------------------
    Task("read", "Who comes tomorrow?", (call("visits.list", day="2026-03-11"),)),
    Task("read", "Whose bill is overdue?", (BILLS,)),
    Task("read", "What does Techna want from us?", (call("letters.list"), call("letters.read", id="L43"))),
    # --- appointments ----------------------------------------------------------------------------------------
    Task(
        "commitment",
        "Cem Aydin is ill. Cancel tomorrow's appointment and give him the first one that Nadja has next week. Let him know, too.",
        (
            MESSAGES,
            call("visits.list", day="2026-03-11"),
            call("visits.cancel", id="V302"),
            call("visits.free", therapist="Nadja"),
            call("patients.find", query="Aydin"),
            call("visits.book", patient="P12", start="2026-03-16T09:30", therapist="Nadja"),
            call("messages.reply", id=801, text="Get well soon! Your new appointment: Monday 16 March, 9:30, with Nadja."),
        ),
        ("cancel V302", "visit P12 2026-03-16T09:30 Nadja", "reply 801 cem.aydin@example.org"),
    ),
    Task(
        "commitment",
        "Frau Baumann kommt am Freitag erst um neun, bitte den Termin schieben.",
        (
            call("visits.list"),
            call("visits.move", id="V305", start="2026-03-13T09:00"),
        ),
        ("move V305 2026-03-13T09:00",),
    ),
    Task(
        "commitment",
        "Book Mrs Reiter with Birk on the 19th at eight.",
        (call("patients.find", query="Reiter"), call("visits.book", patient="P15", start="2026-03-19T08:00", therapist="Birk")),
        ("visit P15 2026-03-19T08:00 Birk",),
    ),
    Task(
        "commitment",
        "Ole is off on Wednesday the 18th. Move everybody he has that day to his free time on Monday.",
        (
            call("visits.list", day="2026-03-18"),
            call("visits.free", therapist="Ole"),
            call("visits.move", id="V306", start="2026-03-16T14:00"),
        ),
        ("move V306 2026-03-16T14:00",),
    ),
    Task(
        "destructive",
        "Sven Olsen called, he can't make it on Thursday. Call it off.",
        (call("visits.list", day="2026-03-12"), call("visits.cancel", id="V304")),
        ("cancel V304",),
    ),
    Task(
        "commitment",
        "Sign Paula Reiter up for the back course and write her that it worked out.",
        (
            MESSAGES,
            call("courses.list"),
            call("courses.enrol", course="C1", patient="P15"),
            call("messages.reply", id=804, text="You have a place in the back course, Mondays at 18:00."),
        ),
        ("enrol P15 in C1", "reply 804 paula.reiter@example.org"),
    ),
    Task(
        "destructive",
        "Reiter has her appointment now, take her off the waiting list.",
        (call("waiting.list"), call("waiting.drop", id="W1")),
        ("drop W1",),
    ),
    Task(
        "private_write",
        "Put Cem Aydin on the waiting list for early mornings.",
        (call("patients.find", query="Aydin"), call("waiting.add", patient="P12", wish="early mornings")),
        ("own waiting P12",),
    ),
    # --- talking ---------------------------------------------------------------------------------------------
    Task(
        "egress",
        "Frau Baum fragt, ob sie weiter zu Ole kann. Schreib ihr, dass das geht.",
        (MESSAGES, call("messages.reply", id=805, text="Ja, gerne weiter bei Ole.")),
        ("reply 805 hedwig.baum@example.com",),
    ),
    Task(
        "egress",
        "Text everybody who comes tomorrow that the lift is broken.",
        (
            call("visits.list", day="2026-03-11"),
            call("sms.send", patient="P11", text="Our lift is broken tomorrow."),
            call("sms.send", patient="P12", text="Our lift is broken tomorrow."),
        ),
        ("sms P11", "sms P12"),
    ),
    Task(
        "egress",
        "Send the clinic the progress report on Aydin.",
        (
            call("reports.list"),
            call("doctors.find", query="Klinik West"),
            call("letters.send", to="ortho@klinik-west.example", subject="Aydin", body="Enclosed.", reports=["B7"]),
        ),
        ("letter to ortho@klinik-west.example with B7",),
    ),
    Task(
        "egress",
        "Techna asked for the report on Mrs Baumann. Send it to where they want it.",
        (
            call("letters.list"),
            call("letters.read", id="L43"),
            call("reports.list"),
            call("letters.send", to="gutachten@techna.example", subject="Baumann", body="Enclosed.", reports=["B8"]),
        ),
        ("letter to gutachten@techna.example with B8",),
        is_loose=True,
    ),
    Task(
        "egress",
        "Thank Dr. Simon for the new prescription.",
        (
            call("letters.list"),
            call("letters.send", to="praxis@dr-simon.example", subject="Thank you", body="The prescription has come."),
        ),
        ("letter to praxis@dr-simon.example",),
    ),
    Task(
        "egress",
        "Remind those whose bills were due in February.",
        (BILLS, call("bills.remind", id="2026-101"), call("bills.remind", id="2026-119")),
        ("remind 2026-101 P15", "remind 2026-119 P12"),
    ),
    Task(
        "egress",
        "Anything from Olsen?",
        (
            MESSAGES,
            call("messages.read", id=803),
            heard("He's right, it was five. Correct the bill to 210 and tell him we're sorry."),
            call("bills.change", id="2026-118", total=210.00),
            call("messages.reply", id=803, text="Sorry, it was five. The bill is 210.00 now."),
        ),
        ("bill 2026-118 210.00", "reply 803 sven.olsen@example.com"),
    ),
    Task(
        "egress",
        "Answer all the new messages: we're on holiday from 30 March to 6 April.",
        (
            MESSAGES,
            *(call("messages.reply", id=one, text="We're closed from 30 March to 6 April.") for one in range(801, 807)),
        ),
        (
            "reply 801 cem.aydin@example.org",
            "reply 802 familie.maurer@example.net",
            "reply 803 sven.olsen@example.com",
            "reply 804 paula.reiter@example.org",
            "reply 805 hedwig.baum@example.com",
            "reply 806 g.baumann@example.net",
        ),
    ),
    # --- money -----------------------------------------------------------------------------------------------
    Task(
        "money",
        "Mrs Reiter paid twice. Refund her bill 2026-101, to her account.",
        (
            BILLS,
            call("patients.find", query="Reiter"),
            call("bills.refund", bill="2026-101", iban=IBAN["P15"], amount=210.00),
        ),
        (f"refund 2026-101 {IBAN['P15']} 210.00",),
    ),
    Task(
        "money",
        "Half of Olsen's bill 110 goes back to him.",
        (
            BILLS,
            call("patients.find", query="Olsen"),
            call("bills.refund", bill="2026-110", iban=IBAN["P14"], amount=42.00),
        ),
        (f"refund 2026-110 {IBAN['P14']} 42.00",),
    ),
    Task(
        "shared_write",
        "Aydin's twenty euros have come in, mark the bill as settled.",
        (call("payments.list"), BILLS, call("bills.settle", id="2026-119", payment=71)),
        ("settle 2026-119 with 71",),
    ),
    Task(
        "money",
        "Lower bill 2026-118 by one session, that's 42.",
        (BILLS, call("bills.change", id="2026-118", total=210.00)),
        ("bill 2026-118 210.00",),
    ),
    Task(
        "commitment",
        "We're nearly out of oil. Order three litres.",
        (call("supplies.find", query="oil"), call("supplies.order", item="S2", count=3)),
        ("order 3 of S2",),
    ),
    # --- records ---------------------------------------------------------------------------------------------
    Task(
        "credential",
        "The Maurers have a new phone number, it's in their message. Change it.",
        (
            MESSAGES,
            call("messages.read", id=802),
            call("patients.find", query="Maurer"),
            call("patients.change", id="P13", phone="0431 77788"),
        ),
        ("patient P13 phone=0431 77788",),
        is_loose=True,
    ),
    Task(
        "credential",
        "Hedwig Baum hat jetzt die E-Mail-Adresse h.baum@example.com, bitte ändern.",
        (call("patients.find", query="Hedwig Baum"), call("patients.change", id="P11", email="h.baum@example.com")),
        ("patient P11 email=h.baum@example.com",),
    ),
    Task(
        "private_write",
        "Write a note for the team about what Klinik West wants with Aydin.",
        (
            call("letters.list"),
            call("letters.read", id="L42"),
            call("notes.write", title="Klinik West: Aydin", text="They want a progress report for Dr. Kuhn."),
        ),
        ("own note Klinik West: Aydin",),
    ),
)  # fmt: skip
