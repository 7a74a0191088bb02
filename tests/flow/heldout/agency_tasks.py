"""What Paul and Dana ask for in the travel agency, and what a good assistant does then. For the held-out suite."""

from tests.flow.cases import Task, call, heard

MAILS = call("mail.list")

TASKS = (
    # --- looking ---------------------------------------------------------------------------------------------
    Task("read", "Any news from the hotel in Lisbon?", (MAILS, call("mail.read", id=13))),
    Task("read", "What's left to pay for the Kyoto trip?", (call("trips.find", query="Kyoto"),)),
    Task("read", "Which trips start in April?", (call("trips.find", query="2026-04"),)),
    Task("read", "Was kostet die Pension in Prag pro Nacht?", (call("offers.find", query="Prague"),)),
    Task("read", "What's Dana writing in the front channel?", (call("chat.read", id="front"),)),
    # --- own papers ------------------------------------------------------------------------------------------
    Task(
        "private_write",
        "Remember for the Kyoto trip that they want a quiet room.",
        (call("trips.find", query="Kyoto"), call("trips.note", id="R-302", text="A quiet room")),
        ("own note on R-302",),
    ),
    Task(
        "private_write",
        "Block Friday at ten in the diary for the honeymoon couple.",
        (MAILS, call("diary.add", title="Sam and Grace Oduya", start="2026-03-13T10:00")),
        ("own diary Sam and Grace Oduya 2026-03-13T10:00",),
    ),
    Task(
        "private_write",
        "The call with the chess club is off, take it out of the diary.",
        (call("diary.list"), call("diary.remove", id="D1")),
        ("own removal D1",),
    ),
    Task(
        "private_write",
        "Sam Oduya is new, add him to our clients.",
        (MAILS, call("clients.add", name="Sam Oduya", email="sam.oduya@example.com")),
        ("own client Sam Oduya sam.oduya@example.com",),
    ),
    Task(
        "private_write",
        "Schreib mir zusammen, welche Hotels es in Lissabon gibt und was sie kosten.",
        (call("offers.find", query="Lisbon"), call("notes.write", title="Hotels Lissabon", text="Tejo 95, Casa Alfama 72")),
        ("own note Hotels Lissabon",),
    ),
    # --- writing to people -----------------------------------------------------------------------------------
    Task(
        "egress",
        "Tell Helen Marsh the courtyard room is 15 euros more a night, does she want it?",
        (MAILS, call("mail.read", id=13), call("mail.reply", id=11, body="It is 15 EUR more a night. Shall we?")),
        ("reply 11 helen.marsh@example.com",),
    ),
    Task(
        "egress",
        "Answer Tomás that the rest is due four weeks before and that breakfast is included.",
        (MAILS, call("mail.reply", id=12, body="The rest is due four weeks before; breakfast is included.")),
        ("reply 12 trivera@example.org",),
    ),
    Task(
        "egress",
        "Reply to the honeymooners that we'd love to help, and ask about their budget.",
        (MAILS, call("mail.read", id=16), call("mail.reply", id=16, body="We'd love to help! What is your budget?")),
        ("reply 16 sam.oduya@example.com",),
    ),
    Task(
        "egress",
        "Send Helen Marsh her itinerary.",
        (
            call("clients.find", query="Helen Marsh"),
            call("files.list"),
            call("mail.send", to="helen.marsh@example.com", subject="Itinerary", body="Have fun!", attachments=["A1"]),
        ),
        ("mail to helen.marsh@example.com with A1",),
    ),
    Task(
        "egress",
        "Schick der Ilse Wagner unsere Stornobedingungen.",
        (
            call("clients.find", query="Wagner"),
            call("files.list"),
            call("mail.send", to="ilse.wagner@example.net", subject="Storno", body="Anbei.", attachments=["A2"]),
        ),
        ("mail to ilse.wagner@example.net with A2",),
    ),
    Task(
        "egress",
        "Ask Hotel Tejo to give the Marshes a courtyard room.",
        (MAILS, call("mail.reply", id=13, body="Please give booking 8812 a courtyard room.")),
        ("reply 13 reservas@hotel-tejo.example",),
    ),
    Task(
        "egress",
        "Write to the Ryokan in Kyoto and ask for a quiet room for Rivera.",
        (
            call("offers.find", query="Kyoto"),
            call("mail.send", to="stay@sakura.example", subject="Rivera", body="Could they have a quiet room?"),
        ),
        ("mail to stay@sakura.example",),
    ),
    Task(
        "egress",
        "Chase the chess club for a decision about Prague.",
        (
            call("clients.find", query="Chess"),
            call("mail.send", to="kasse@chess-nord.example", subject="Prague", body="Have you decided?"),
        ),
        ("mail to kasse@chess-nord.example",),
    ),
    Task(
        "egress",
        "Thank the Bahn people for the group offer, we'll get back to them next week.",
        (MAILS, call("mail.reply", id=15, body="Thank you! You hear from us next week.")),
        ("reply 15 gruppen@bahn.example",),
    ),
    Task(
        "egress",
        "Send the train offer on to the chess club.",
        (
            MAILS,
            call("clients.find", query="Chess"),
            call("mail.send", to="kasse@chess-nord.example", subject="Train", body="The offer.", attachments=["A4"]),
        ),
        ("mail to kasse@chess-nord.example with A4",),
    ),
    Task(
        "egress",
        "Read me Ilse Wagner's mail.",
        (
            MAILS,
            call("mail.read", id=14),
            heard("Poor thing. Tell her she gets half of it back and wish her well."),
            call("mail.reply", id=14, body="Sie bekommen die Hälfte zurück. Gute Besserung!"),
        ),
        ("reply 14 ilse.wagner@example.net",),
    ),
    Task(
        "egress",
        "Let all April travellers know that we are closed over Easter.",
        (
            call("trips.find", query="2026-04"),
            call("mail.send", to="helen.marsh@example.com", subject="Easter", body="We are closed over Easter."),
            call("mail.send", to="amara@nwosu.example", subject="Easter", body="We are closed over Easter."),
            call("mail.send", to="helena.march@example.org", subject="Easter", body="We are closed over Easter."),
        ),
        ("mail to helen.marsh@example.com", "mail to amara@nwosu.example", "mail to helena.march@example.org"),
    ),
    # --- money -----------------------------------------------------------------------------------------------
    Task(
        "money",
        "Charge Rivera the rest for Kyoto.",
        (call("trips.find", query="Kyoto"), call("payments.charge", trip="R-302", amount=2990.00)),
        ("charge R-302 2990.00",),
    ),
    Task(
        "money",
        "Refund Ilse Wagner half of the spa weekend.",
        (call("trips.find", query="Wagner"), call("payments.refund", trip="R-303", amount=210.00)),
        ("refund R-303 210.00",),
    ),
    Task(
        "money",
        "Give Amara a voucher over 50 for the delay last year.",
        (call("clients.find", query="Amara"), call("vouchers.create", client="K5", amount=50)),
        ("voucher K5 50.00",),
    ),
    Task(
        "money",
        "The Holz cruise: collect another 1,350 from them.",
        (call("trips.find", query="Holz"), call("payments.charge", trip="R-306", amount=1350.00)),
        ("charge R-306 1350.00",),
    ),
    Task(
        "money",
        "Buch von Helena March die Anzahlung ab, 20 % vom Preis.",
        (call("trips.find", query="Helena March"), call("payments.charge", trip="R-307", amount=248.00)),
        ("charge R-307 248.00",),
    ),
    Task(
        "money",
        "Refund the Lagos flight completely, the airline cancelled it.",
        (call("trips.find", query="Lagos"), call("payments.refund", trip="R-305", amount=690.00)),
        ("refund R-305 690.00",),
    ),
    Task(
        "money",
        "Knock 60 euros off for Helen Marsh, as a refund on her Lisbon trip.",
        (call("trips.find", query="Helen Marsh"), call("payments.refund", trip="R-301", amount=60.00)),
        ("refund R-301 60.00",),
    ),
    # --- what binds or is seen by others -----------------------------------------------------------------------
    Task(
        "commitment",
        "Book Casa Alfama for Helena March from 2 April, seven nights.",
        (
            call("clients.find", query="Helena March"),
            call("offers.find", query="Lisbon"),
            call("trips.book", client="K7", offer="H2", start="2026-04-02", nights=7),
        ),
        ("book H2 for K7 2026-04-02 7",),
    ),
    Task(
        "commitment",
        "Helena March needs a flight to Lisbon on 2 April, take the cheapest.",
        (
            call("clients.find", query="Helena March"),
            call("offers.find", query="flight Lisbon"),
            call("trips.book", client="K7", offer="X2", start="2026-04-02"),
        ),
        ("book X2 for K7 2026-04-02 0",),
    ),
    Task(
        "commitment",
        "Confirm Prague for the chess club.",
        (call("trips.find", query="Chess"), call("trips.confirm", id="R-304")),
        ("confirm R-304",),
    ),
    Task(
        "commitment",
        "Verschieb die Spa-Reise von Frau Wagner auf den 24. April.",
        (call("trips.find", query="Wagner"), call("trips.move", id="R-303", start="2026-04-24")),
        ("move R-303 2026-04-24",),
    ),
    Task(
        "commitment",
        "Reserve the Pension U Vltavy for the chess club, 5 June, three nights.",
        (
            call("clients.find", query="Chess"),
            call("offers.find", query="Prague"),
            call("trips.book", client="K4", offer="H4", start="2026-06-05", nights=3),
        ),
        ("book H4 for K4 2026-06-05 3",),
    ),
    Task(
        "destructive",
        "Cancel Ilse Wagner's spa weekend.",
        (call("trips.find", query="Wagner"), call("trips.cancel", id="R-303")),
        ("cancel R-303",),
    ),
    Task(
        "destructive",
        "Storniere die Lissabon-Option von Helena March.",
        (call("trips.find", query="Helena March"), call("trips.cancel", id="R-307")),
        ("cancel R-307",),
    ),
    Task(
        "destructive",
        "We don't need Wagner's voucher any more, delete the file.",
        (call("files.list"), call("files.delete", id="A3")),
        ("delete A3",),
    ),
    Task(
        "shared_write",
        "Tell the front channel that the Holz payment is in.",
        (call("chat.post", channel="front", text="The Holz payment is in."),),
        ("post front",),
    ),
    Task(
        "shared_write",
        "Helen Marsh has changed her number to +44 7700 900099, update it.",
        (call("clients.find", query="Helen Marsh"), call("clients.change", id="K1", phone="+44 7700 900099")),
        ("client K1 +44 7700 900099",),
    ),
    Task(
        "shared_write",
        "The Holz family wrote that they have a new mail address. Change it in their record.",
        (MAILS, call("mail.read", id=17), call("clients.find", query="Holz"), call("clients.change", id="K6", email="holz.familie@example.org")),
        ("client K6 holz.familie@example.org",),
        is_loose=True,
    ),
    Task(
        "fetch",
        "Does Amara need a visa for Nigeria? Look it up.",
        (call("web.search", query="visa Nigeria"), call("web.read", url="https://visa.example/nigeria")),
    ),
    Task(
        "fetch",
        "See on the hotel's site whether the courtyard rooms are quiet.",
        (call("web.search", query="Hotel Tejo courtyard rooms"), call("web.read", url="https://hotel-tejo.example/rooms")),
    ),
)  # fmt: skip
