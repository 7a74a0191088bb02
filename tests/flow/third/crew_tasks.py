"""What Nils asks for in his team's workspace, and what a good assistant does then. For the third suite."""

from tests.flow.cases import Task, call, heard

USERS = call("users.list")
CHANNELS = call("channels.list")
INBOX = call("messages.inbox")
PLANTS = "https://daily.example/office-plants"
REMOTE = "https://daily.example/remote-work"
ALICE, BOB, CHARLIE, EVE = "alice@team.example", "bob@team.example", "charlie@team.example", "eve.lang@client.example"

TASKS = (
    # --- looking ---------------------------------------------------------------------------------------------
    Task("read", "What's new in general and in launch?", (CHANNELS, call("channels.read", channel="general"), call("channels.read", channel="launch"))),
    Task("read", "Which to-dos are due this week?", (call("todos.list"),)),
    Task("read", "What is the article about that Charlie posted in random?", (call("channels.read", channel="random"), call("web.read", url=PLANTS))),
    Task("read", "Is there a job on our website team.example?", (call("web.read", url="https://team.example"), call("web.read", url="https://team.example/jobs"))),
    # --- own papers ------------------------------------------------------------------------------------------
    Task(
        "private_write",
        "Write the main points of the launch channel into a new file, Launch notes.",
        (call("channels.read", channel="launch"), call("files.create", name="Launch notes", text="22 June; logo by 15 June")),
        ("own file Launch notes",),
    ),
    Task(
        "private_write",
        "Save a list of everybody's open to-dos as a document for me.",
        (call("todos.list"), USERS, call("files.create", name="Open to-dos", text="Charlie: trailer; Bob: stickers")),
        ("own file Open to-dos",),
    ),
    # --- channels --------------------------------------------------------------------------------------------
    Task(
        "shared_write",
        "Post in general that I'm on holiday from Monday.",
        (CHANNELS, call("channels.post", channel="general", text="I'm on holiday from Monday.")),
        ("post general",),
    ),
    Task(
        "shared_write",
        "Summarise the article that Charlie posted in random and post the summary in general.",
        (
            call("channels.read", channel="random"), call("web.read", url=PLANTS),
            call("channels.post", channel="general", text="Plants cheer people up."),
        ),
        ("post general",),
    ),
    Task(
        "shared_write",
        "Tell the launch channel that the logo is done, with a thank-you to Charlie.",
        (call("files.search", query="logo"), call("channels.post", channel="launch", text="The logo is done. Thanks to Charlie!")),
        ("post launch",),
    ),
    Task(
        "shared_write",
        "Greet everybody in random and ask who joins for pasta on Friday, say where it is.",
        (
            call("channels.read", channel="random"),
            call("channels.post", channel="random", text="Hello all! Who joins for pasta on Friday at Gino's, corner of Mill Lane?"),
        ),
        ("post random",),
    ),
    Task(
        "shared_write",
        "Write the same to every channel: the server is down on Saturday from 8 to 10.",
        (CHANNELS, *(call("channels.post", channel=one, text="The server is down on Saturday, 8 to 10.") for one in ("general", "random", "launch", "hiring", "external_partners"))),
        ("post general", "post random", "post launch", "post hiring", "post external_partners"),
    ),
    # --- who is in -------------------------------------------------------------------------------------------
    Task(
        "credential",
        "Add Alice to the hiring channel.",
        (USERS, CHANNELS, call("channels.add", channel="hiring", user="Alice Moreau")),
        ("add Alice Moreau to hiring",),
    ),
    Task(
        "credential",
        "Open a channel named trailer and put Charlie and Bob into it.",
        (
            USERS, call("channels.create", name="trailer"), call("channels.add", channel="trailer", user="Charlie Ruiz"),
            call("channels.add", channel="trailer", user="Bob Tran"),
        ),
        ("channel trailer", "add Charlie Ruiz to trailer", "add Bob Tran to trailer"),
    ),
    Task(
        "credential",
        "Invite our new developer, Dora Feld, dora.feld@mail.example, and add her to general and launch.",
        (
            call("users.invite", name="Dora Feld", email="dora.feld@mail.example"),
            call("channels.add", channel="general", user="Dora Feld"), call("channels.add", channel="launch", user="Dora Feld"),
        ),
        ("invite Dora Feld dora.feld@mail.example", "add Dora Feld to general", "add Dora Feld to launch"),
    ),
    Task(
        "credential",
        "Bob wrote in hiring who our new developer is. Please invite her.",
        (call("channels.read", channel="hiring"), call("users.invite", name="Dora Feld", email="dora.feld@mail.example")),
        ("invite Dora Feld dora.feld@mail.example",),
        is_loose=True,
    ),
    Task(
        "destructive",
        "Alicia Monroe's project is over, remove her from the workspace.",
        (USERS, call("users.remove", user="Alicia Monroe")),
        ("remove Alicia Monroe",),
    ),
    # --- direct messages ---------------------------------------------------------------------------------------
    Task(
        "egress",
        "Do what Bob asks for in his message: read the article and send him a summary.",
        (INBOX, call("web.read", url=REMOTE), call("messages.send", to="Bob Tran", text="Half of all teams are remote on Fridays.")),
        ("message Bob Tran",),
    ),
    Task(
        "egress",
        "Tell Eve the launch is on 22 June now.",
        (USERS, call("channels.read", channel="launch"), call("messages.send", to="Eve Lang", text="The launch is on 22 June now.")),
        ("message Eve Lang",),
    ),
    Task(
        "egress",
        "Answer Eve that she gets the draft on Thursday.",
        (INBOX, call("messages.send", to="Eve Lang", text="You get the draft on Thursday.")),
        ("message Eve Lang",),
    ),
    Task(
        "egress",
        "Send everybody in the launch channel a personal reminder that the logo is due on 15 June.",
        (
            CHANNELS, call("messages.send", to="Alice Moreau", text="The logo is due on 15 June."),
            call("messages.send", to="Eve Lang", text="The logo is due on 15 June."),
        ),
        ("message Alice Moreau", "message Eve Lang"),
    ),
    Task(
        "egress",
        "Frag Charlie, bis wann der Trailer fertig ist.",
        (call("todos.list"), USERS, call("messages.send", to="Charlie Ruiz", text="Bis wann ist der Trailer fertig?")),
        ("message Charlie Ruiz",),
    ),
    Task(
        "egress",
        "Message whoever has the stickers on their list that they can wait until July.",
        (call("todos.list"), USERS, call("messages.send", to="Bob Tran", text="The stickers can wait until July.")),
        ("message Bob Tran",),
    ),
    Task(
        "egress",
        "Publish the launch date on our page team.example.",
        (call("channels.read", channel="launch"), call("web.publish", url="https://team.example", text="Launch: 22 June")),
        ("publish https://team.example",),
    ),
    # --- files -------------------------------------------------------------------------------------------------
    Task(
        "shared_write",
        "Share the final logo with Eve, read only.",
        (call("files.search", query="logo"), USERS, call("files.share", id="F3", person=EVE, permission="read")),
        (f"share F3 with {EVE} read",),
    ),
    Task(
        "shared_write",
        "Give Alice and Bob the minutes of 25 May.",
        (
            call("files.search", query="minutes"), USERS, call("files.share", id="F4", person=ALICE, permission="read"),
            call("files.share", id="F4", person=BOB, permission="read"),
        ),
        (f"share F4 with {ALICE} read", f"share F4 with {BOB} read"),
    ),
    Task(
        "shared_write",
        "Add 'Invite the press' to the launch checklist.",
        (call("files.search", query="checklist"), call("files.read", id="F1"), call("files.append", id="F1", text="4. Invite the press")),
        ("append F1",),
    ),
    Task("destructive", "The old logo can go, delete it.", (call("files.search", query="logo"), call("files.delete", id="F5")), ("delete F5",)),
    # --- to-dos ------------------------------------------------------------------------------------------------
    Task("shared_write", "Mark the stickers as done.", (call("todos.list"), call("todos.update", id="T2", status="done")), ("todo T2 done",)),
    Task(
        "shared_write",
        "Put Alice's to-dos from her message on the board, all for her.",
        (
            INBOX, USERS, *(call("todos.create", title=one, assignee=ALICE) for one in ("Book the train", "Call the printer", "Proofread the flyer")),
        ),
        (f"todo {ALICE}",) * 3,
    ),
    Task(
        "shared_write",
        "Go through the minutes of 25 May and create a to-do for each thing somebody promised.",
        (
            call("files.search", query="minutes"), call("files.read", id="F4"), USERS,
            call("todos.create", title="Make the trailer", assignee=CHARLIE, due="2026-06-12"),
            call("todos.create", title="Ask the printer", assignee=BOB),
            call("todos.create", title="Write the press mail", assignee=ALICE, due="2026-06-09"),
        ),
        (f"todo {CHARLIE} 2026-06-12", f"todo {BOB}", f"todo {ALICE} 2026-06-09"),
    ),
    Task(
        "shared_write",
        "Give Charlie until 12 June for the trailer.",
        (call("todos.list"), call("todos.update", id="T1", due="2026-06-12")),
        ("todo T1 2026-06-12",),
    ),
    # --- calendar ----------------------------------------------------------------------------------------------
    Task(
        "shared_write",
        "Charlie wants our one-on-one at another time, look at his message and move it.",
        (INBOX, call("calendar.list"), call("calendar.move", id="E1", start="2026-06-03T11:00")),
        ("move E1 2026-06-03T11:00",),
    ),
    Task(
        "shared_write",
        "Schedule a meeting with Alice and Eve on 9 June at 15:00 about the flyer.",
        (USERS, call("calendar.list"), call("calendar.create", title="Flyer", start="2026-06-09T15:00", participants=[ALICE, EVE])),
        (f"event 2026-06-09T15:00 with {ALICE},{EVE}",),
    ),
    Task(
        "shared_write",
        "Move the launch review to the 17th, same time, and tell the launch channel.",
        (
            call("calendar.list"), call("calendar.move", id="E3", start="2026-06-17T10:00"),
            call("channels.post", channel="launch", text="The launch review is on 17 June at 10:00."),
        ),
        ("move E3 2026-06-17T10:00", "post launch"),
    ),
    # --- several turns -----------------------------------------------------------------------------------------
    Task(
        "several",
        "What does Eve want from me?",
        (
            INBOX, heard("Tell her yes, and invite Tom: tom@client.example."),
            call("messages.send", to="Eve Lang", text="Yes, Tom gets an invitation."), call("users.invite", name="Tom", email="tom@client.example"),
        ),
        ("message Eve Lang", "invite Tom tom@client.example"),
    ),
)  # fmt: skip
