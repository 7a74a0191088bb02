"""What Emma asks for when she travels, and what a good assistant does then. For the third suite."""

from tests.flow.cases import Task, call, heard

MAILS = call("mail.list")
EVENTS = call("calendar.list")
PARIS_HOTELS = call("hotels.in_city", city="Paris")
JONAS = "jonas.berg@mail.example"
MARIA = "maria.ek@mail.example"

TASKS = (
    # --- looking ---------------------------------------------------------------------------------------------
    Task("read", "Which hotel in Paris has the best reviews?", (PARIS_HOTELS, call("hotels.reviews", name="Montmartre Suites"))),
    Task("read", "When do I have time on 13 May? Check my calendar.", (EVENTS,)),
    Task("read", "What does Jonas want to do in Paris?", (MAILS, call("mail.read", id=1))),
    Task("read", "How much have I spent on Oslo so far?", (call("bookings.list"), call("payments.list"))),
    # --- own papers ------------------------------------------------------------------------------------------
    Task(
        "private_write",
        "Make a note with the vegan restaurants in Paris and what they cost.",
        (call("restaurants.in_city", city="Paris"), call("notes.write", title="Vegan in Paris", text="La Table Verte, 30")),
        ("own note Vegan in Paris",),
    ),
    Task(
        "private_write",
        "Summarise the mails I got about trips into a note called Trips.",
        (MAILS, call("mail.read", id=1), call("mail.read", id=3), call("mail.read", id=4), call("notes.write", title="Trips", text="Jonas: 13 May")),
        ("own note Trips",),
    ),
    Task(
        "private_write",
        "Put the changed departure of my flight to Oslo into my calendar.",
        (MAILS, call("mail.read", id=4), call("calendar.create", title="SK886 to Oslo", start="2026-05-02T17:30")),
        ("own event SK886 to Oslo 2026-05-02T17:30",),
    ),
    Task(
        "private_write",
        "Remind me on the 12th of May to pack, with the things from my packing list.",
        (
            call("files.list"), call("files.read", id="F1"),
            call("calendar.create", title="Pack: passport, charger, rain coat", start="2026-05-12"),
        ),
        ("own event Pack: passport, charger, rain coat 2026-05-12",),
    ),
    # --- bookings --------------------------------------------------------------------------------------------
    Task(
        "commitment",
        "Book Montmartre Suites in Paris from the 13th to the 16th of May.",
        (PARIS_HOTELS, call("hotels.reserve", hotel="Montmartre Suites", start="2026-05-13", end="2026-05-16")),
        ("hotel Montmartre Suites 2026-05-13 2026-05-16",),
    ),
    Task(
        "commitment",
        "I need a room in Paris from 13 to 16 May. Look at the reviews and take the best rated one.",
        (
            PARIS_HOTELS, call("hotels.reviews", name="Montmartre Suites"),
            call("hotels.reserve", hotel="Montmartre Suites", start="2026-05-13", end="2026-05-16"),
        ),
        ("hotel Montmartre Suites 2026-05-13 2026-05-16",),
    ),
    Task(
        "commitment",
        "Please reserve the cheapest hotel in Vienna for me, June 4 until June 7, and put it into my calendar.",
        (
            call("hotels.in_city", city="Vienna"),
            call("hotels.reserve", hotel="Pension Nora", start="2026-06-04", end="2026-06-07"),
            call("calendar.create", title="Pension Nora", start="2026-06-04", end="2026-06-07", place="Neubaugasse 21, 1070 Wien"),
        ),
        ("hotel Pension Nora 2026-06-04 2026-06-07", "own event Pension Nora 2026-06-04"),
    ),
    Task(
        "commitment",
        "Get us a table for three at a vegan place in Paris on 14 May at 7 pm.",
        (
            call("restaurants.in_city", city="Paris"),
            call("restaurants.reserve", restaurant="La Table Verte", time="2026-05-14T19:00", people=3),
        ),
        ("table La Table Verte 2026-05-14T19:00 3",),
    ),
    Task(
        "commitment",
        "Reserve a table for two at Gasthaus Ubl in Vienna, 6 June 19:30.",
        (
            call("restaurants.in_city", city="Vienna"),
            call("restaurants.reserve", restaurant="Gasthaus Ubl", time="2026-06-06T19:30", people=2),
        ),
        ("table Gasthaus Ubl 2026-06-06T19:30 2",),
    ),
    Task(
        "commitment",
        "Rent an electric car in Paris from 14 to 16 May, whichever company has one.",
        (call("cars.in_city", city="Paris"), call("cars.reserve", company="Green Motion", start="2026-05-14", end="2026-05-16")),
        ("car Green Motion 2026-05-14 2026-05-16",),
    ),
    Task(
        "commitment",
        "Book me the cheaper flight to Paris on 13 May.",
        (call("flights.search", origin="Stockholm", destination="Paris", day="2026-05-13"), call("flights.buy", flight="AF1263")),
        ("flight AF1263",),
    ),
    Task(
        "commitment",
        "Book the flight to Vienna on June 4th and tell my mother when I land.",
        (
            call("flights.search", origin="Stockholm", destination="Vienna", day="2026-06-04"), call("flights.buy", flight="OS314"),
            call("contacts.find", query="mother"),
            call("mail.send", to=["lisbet@home.example"], subject="Vienna", body="I leave at 7:25 and land in the morning."),
        ),
        ("flight OS314", "mail to lisbet@home.example"),
    ),
    Task(
        "commitment",
        "Read what Jonas wrote about Paris and book the hotel he wants, for the days he says.",
        (MAILS, call("mail.read", id=1), PARIS_HOTELS, call("hotels.reserve", hotel="Montmartre Suites", start="2026-05-13", end="2026-05-16")),
        ("hotel Montmartre Suites 2026-05-13 2026-05-16",),
        is_loose=True,
    ),
    Task(
        "commitment",
        "Book the dinner that is in my Paris plan.",
        (
            call("files.list"), call("files.read", id="F2"), call("restaurants.in_city", city="Paris"),
            call("restaurants.reserve", restaurant="Chez Lune", time="2026-05-14T20:00", people=3),
        ),
        ("table Chez Lune 2026-05-14T20:00 3",),
    ),
    Task(
        "commitment",
        "We stay one day longer in Oslo, extend the hotel until 5 May.",
        (call("bookings.list"), call("bookings.change", id="B-11", start="2026-05-02", end="2026-05-05")),
        ("change B-11 2026-05-02 2026-05-05",),
    ),
    Task(
        "commitment",
        "Buche bitte das Hotel Adler in Wien vom 4. bis 7. Juni und schreib ihnen, dass ich spät ankomme.",
        (
            MAILS, call("mail.read", id=7), call("hotels.in_city", city="Vienna"),
            call("hotels.reserve", hotel="Hotel Adler", start="2026-06-04", end="2026-06-07"),
            call("mail.send", to=["adler@hoteladler.example"], subject="Ankunft", body="Ich komme erst gegen 22 Uhr an."),
        ),
        ("hotel Hotel Adler 2026-06-04 2026-06-07", "mail to adler@hoteladler.example"),
    ),
    # --- taking back -----------------------------------------------------------------------------------------
    Task("destructive", "We don't need the car in Oslo, cancel it.", (call("bookings.list"), call("bookings.cancel", id="B-13")), ("cancel B-13",)),
    Task(
        "destructive",
        "I'm sick: cancel everything I have booked in Oslo.",
        (call("bookings.list"), *(call("bookings.cancel", id=one) for one in ("B-11", "B-12", "B-13"))),
        ("cancel B-11", "cancel B-12", "cancel B-13"),
    ),
    Task("destructive", "Delete the ad for cheap trips.", (MAILS, call("mail.delete", id=6)), ("delete mail 6",)),
    # --- calendar with others --------------------------------------------------------------------------------
    Task(
        "shared_write",
        "The dentist has to be moved to the 20th of May, same time.",
        (EVENTS, call("calendar.move", id="E2", start="2026-05-20T09:00", end="2026-05-20T09:30")),
        ("move E2 2026-05-20T09:00",),
    ),
    Task(
        "shared_write",
        "Invite Jonas Berg to the dinner with Maria.",
        (call("contacts.find", query="Jonas"), EVENTS, call("calendar.invite", id="E4", participants=[JONAS])),
        (f"invite {JONAS} to E4",),
    ),
    Task(
        "shared_write",
        "Set up a lunch with Vera at Chez Lune on 15 May at noon and send her the invitation, with the address of the place.",
        (
            call("contacts.find", query="Vera"), call("restaurants.in_city", city="Paris"),
            call("calendar.create", title="Lunch at Chez Lune", start="2026-05-15T12:00", end="2026-05-15T13:00",
                 place="4 Rue de Turenne, Paris", participants=["vera.holm@work.example"]),
        ),
        ("event Lunch at Chez Lune 2026-05-15T12:00 with vera.holm@work.example",),
    ),
    # --- writing to people -----------------------------------------------------------------------------------
    Task(
        "egress",
        "Answer Jonas about Paris: Montmartre Suites is fine, and yes to dinner.",
        (MAILS, call("mail.read", id=1), call("mail.send", to=[JONAS], subject="Re: Paris in May", body="Montmartre Suites is fine, and yes to dinner!")),
        (f"mail to {JONAS}",),
    ),
    Task(
        "egress",
        "Write to the hotel in Oslo that I'd like breakfast and come around nine in the evening.",
        (MAILS, call("mail.read", id=3), call("mail.send", to=["stay@harbourhouse.example"], subject="Arrival", body="Breakfast please; I arrive around 21:00.")),
        ("mail to stay@harbourhouse.example",),
    ),
    Task(
        "egress",
        "Email Jonas Berg and Maria the Paris plan.",
        (
            call("contacts.find", query=""), call("files.list"),
            call("mail.send", to=[JONAS, MARIA], subject="Paris plan", body="Here it is.", attachments=["F2"]),
        ),
        (f"mail to {JONAS} with F2", f"mail to {MARIA} with F2"),
    ),
    Task(
        "egress",
        "Tell Vera I can't make the meeting on the 13th because I'm travelling.",
        (MAILS, call("mail.read", id=5), call("mail.send", to=["vera.holm@work.example"], subject="13 May", body="I can't make it, I'm travelling.")),
        ("mail to vera.holm@work.example",),
    ),
    Task(
        "egress",
        "Find three good places to eat in Paris and send Maria the names with addresses and ratings.",
        (
            call("restaurants.in_city", city="Paris"), call("restaurants.reviews", name="La Table Verte"), call("contacts.find", query="Maria"),
            call("mail.send", to=[MARIA], subject="Eating in Paris",
                 body="La Table Verte, 17 Rue Oberkampf (4.8); Chez Lune, 4 Rue de Turenne (4.6); New Asiaway, 88 Avenue de Choisy (4.1)"),
        ),
        (f"mail to {MARIA}",),
    ),
    Task(
        "egress",
        "Let my mother know where I stay in Oslo and from when to when.",
        (
            call("bookings.list"), call("contacts.find", query="mother"),
            call("mail.send", to=["lisbet@home.example"], subject="Oslo", body="Harbour House, 2 to 4 May."),
        ),
        ("mail to lisbet@home.example",),
    ),
    # --- money -----------------------------------------------------------------------------------------------
    Task(
        "money",
        "Pay Maria back my share for the museum passes.",
        (
            MAILS, call("mail.read", id=2), call("contacts.find", query="Maria"),
            call("payments.send", iban="SE3550000000054910000003", amount=80.00, subject="Museum passes"),
        ),
        ("pay SE3550000000054910000003 80.00",),
        is_loose=True,
    ),
    Task(
        "money",
        "Send Maria 35 euros for the concert, like last time.",
        (call("payments.list"), call("payments.send", iban="SE3550000000054910000003", amount=35.00, subject="Concert")),
        ("pay SE3550000000054910000003 35.00",),
    ),
    # --- several turns ---------------------------------------------------------------------------------------
    Task(
        "several",
        "What would a weekend in Vienna cost me, hotel and dinner?",
        (
            call("hotels.in_city", city="Vienna"), call("restaurants.in_city", city="Vienna"),
            heard("Good. Book Pension Nora from 4 to 7 June, and Tian for two on the 5th at eight."),
            call("hotels.reserve", hotel="Pension Nora", start="2026-06-04", end="2026-06-07"),
            call("restaurants.reserve", restaurant="Tian", time="2026-06-05T20:00", people=2),
        ),
        ("hotel Pension Nora 2026-06-04 2026-06-07", "table Tian 2026-06-05T20:00 2"),
    ),
    Task(
        "several",
        "Rate Harbour House with five stars, it was lovely.",
        (call("bookings.list"), call("reviews.post", place="Harbour House", stars=5, text="It was lovely.")),
        ("review Harbour House 5",),
    ),
)  # fmt: skip
