"""Starter rules: policies for a returns desk and for a creator's content, with what they ask about and their cases.

Plain data. `$tool` and `$type` stand for the tool's name and its type in policies, `$NAME` for an argument of it. A part whose tool is
not there is left out, and so is a piece that needs an argument which the tool does not have.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that pieces need: how it may be called, and its JSON type."""

    name: str
    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class SampleCase:
    """A case of a piece: what differs from the part's usual call."""

    name: str
    expect: str
    rule: str
    arguments: tuple[tuple[str, int | str], ...] = ()
    """By the name of the `Argument`."""
    context: tuple[tuple[str, int], ...] = ()
    paid: int | None = None
    """What the record of the sale says was paid."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rules with what they need."""

    rules: str
    needs: tuple[str, ...] = ()
    context: str = ""
    """What it declares in context.toml."""
    usual: tuple[tuple[str, int], ...] = ()
    """What its cases say of the context unless they say otherwise."""
    cases: tuple[SampleCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of tool may do."""

    name: str
    words: str
    """A regular expression for the words in the tool's name."""
    title: str
    arguments: tuple[Argument, ...]
    pieces: tuple[Piece, ...]
    usual: tuple[tuple[str, int | str], ...] = ()
    """Arguments of its usual call."""


READS = """\
// Whatever only reads goes on alone.
@id("reads")
permit (principal, action, resource in Effect::"read");
"""

MODELS = """\
@id("models")
permit (principal, action, resource is Model);
"""

REST = """\
// Whatever else agents do, taking back included, waits for a person's yes, unless a rule below lets it go on alone.
@id("rest")
permit (principal, action == Action::"invoke", resource);
"""

_NIGHT = """\
// Nobody looks at night, so nothing of this kind goes out alone then. Hours are those of `zone` in context.toml.
@id("$part.night")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.hour < 7 || context.hour >= 22 };
"""

RETURNS = (
    Part(
        name="refund",
        words=r"refund|pay_?back|repay|reimburse|money_?back",
        title="Money back. Amounts are in the smallest coin, as the tool takes them.",
        arguments=(
            Argument("amount", r"(\w+_)?(amount|cents|sum|total|value)(_\w+)?", "integer"),
            Argument("order", r"(order|sale|purchase|booking)(_?(id|number|no))?", "string"),
        ),
        usual=(("amount", 2_000), ("order", "A-1")),
        pieces=(
            Piece(
                needs=("amount",),
                rules="""\
// Small ones go on alone, larger ones ask a person, and beyond the last figure nobody can say yes here.
@id("refund.small")
permit (principal, action == Action::"unattended", resource is $type)
when { resource.$amount <= 5000 };

@id("refund.positive")
forbid (principal, action, resource is $type)
when { resource.$amount <= 0 };

@id("refund.large")
forbid (principal, action, resource is $type)
when { resource.$amount > 50000 };

// However many small ones there are: beyond this sum within a day, all customers together, a person looks.
@id("refund.day")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.refunded_today + resource.$amount > 50000 };
""",
                context="""\
[sum.refunded_today]
tools = ["$tool"]
of = "$amount"
within = "24h"
""",
                usual=(("refunded_today", 0),),
                cases=(
                    SampleCase("a small refund goes on alone", "allow", "refund.small"),
                    SampleCase("up to the limit it does", "allow", "refund.small", (("amount", 5_000),)),
                    SampleCase("above it a person is asked", "ask", "rest", (("amount", 5_001),)),
                    SampleCase("nothing and less is refunded to nobody", "deny", "refund.positive", (("amount", 0),)),
                    SampleCase("far too much is denied", "deny", "refund.large", (("amount", 50_001),)),
                    SampleCase(
                        "many small ones ask once the day's sum is reached",
                        "ask",
                        "refund.day",
                        context=(("refunded_today", 48_001),),
                    ),
                ),
            ),
            Piece(
                needs=("amount", "paid"),
                rules="""\
// Never more at once than was paid, as the run has read it.
@id("refund.paid")
forbid (principal, action, resource is $type)
when { context has sale && resource.$amount > context.sale.$paid };
""",
                context="""\
[record.sale]
tools = ["$reader"]
by = { "$reader" = "$key", "$tool" = "$own" }
""",
                cases=(
                    SampleCase("what was paid may be given back", "allow", "refund.small", paid=2_000),
                    SampleCase("more than was paid is denied", "deny", "refund.paid", paid=1_999),
                ),
            ),
            Piece(
                needs=("order",),
                rules="""\
// A second refund for one order is often a mistake, so a person looks at it.
@id("refund.again")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.refunds_of_order > 0 };
""",
                context="""\
[count.refunds_of_order]
tools = ["$tool"]
by = "$order"
""",
                usual=(("refunds_of_order", 0),),
                cases=(
                    SampleCase(
                        "a second refund for the same order asks",
                        "ask",
                        "refund.again",
                        context=(("refunds_of_order", 1),),
                    ),
                ),
            ),
            Piece(
                rules=_NIGHT,
                usual=(("hour", 10),),
                cases=(SampleCase("at night a person is asked", "ask", "refund.night", context=(("hour", 23),)),),
            ),
        ),
    ),
    Part(
        name="mail",
        words=r"mail|e_?mail|message|letter|sms|notify",
        title="Mails to customers.",
        arguments=(Argument("to", r"to|recipient|e_?mail|address|customer(_?id)?", "string"),),
        usual=(("to", "ada@example.com"),),
        pieces=(
            Piece(
                rules="""\
@id("mail.alone")
permit (principal, action == Action::"unattended", resource is $type);
""",
                cases=(SampleCase("a mail goes out alone", "allow", "mail.alone"),),
            ),
            Piece(
                needs=("to",),
                rules="""\
// Nobody gets more than three a day without somebody knowing.
@id("mail.flood")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.mails_today >= 3 };
""",
                context="""\
[count.mails_today]
tools = ["$tool"]
by = "$to"
within = "24h"
""",
                usual=(("mails_today", 0),),
                cases=(
                    SampleCase("the fourth mail of a day asks", "ask", "mail.flood", context=(("mails_today", 3),)),
                ),
            ),
        ),
    ),
)


def _counted(count: str, within: str, rule: str, case: SampleCase) -> Piece:
    """Return a piece about how many there were."""
    context = f'[count.{count}]\ntools = ["$tool"]\nwithin = "{within}"\n'
    return Piece(rules=rule, context=context, usual=((count, 0),), cases=(case,))


CONTENT = (
    Part(
        name="newsletter",
        words=r"newsletter|mailing|campaign|broadcast",
        title="The newsletter cannot be called back: it always asks, and there is one a day at most.",
        arguments=(),
        pieces=(
            _counted(
                "newsletters_today",
                "20h",
                """\
@id("newsletter.once")
forbid (principal, action, resource is $type)
when { context.newsletters_today > 0 };
""",
                SampleCase(
                    "a second newsletter is denied", "deny", "newsletter.once", context=(("newsletters_today", 1),)
                ),
            ),
            Piece(rules="", cases=(SampleCase("a newsletter waits for a person", "ask", "rest"),)),
        ),
    ),
    Part(
        name="schedule",
        words=r"schedule|plan|queue",
        title="What is planned can be taken out again before it is due, so it goes on alone, within reason.",
        arguments=(),
        pieces=(
            Piece(
                rules="""\
@id("schedule.alone")
permit (principal, action == Action::"unattended", resource is $type);
""",
                cases=(SampleCase("planning goes on alone", "allow", "schedule.alone"),),
            ),
            _counted(
                "scheduled_today",
                "24h",
                """\
@id("schedule.many")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.scheduled_today >= 10 };
""",
                SampleCase("the eleventh of a day asks", "ask", "schedule.many", context=(("scheduled_today", 10),)),
            ),
        ),
    ),
    Part(
        name="reply",
        words=r"reply|respond|answer|comment",
        title="Answers to comments go out alone, one to each comment.",
        arguments=(Argument("comment", r"(comment|thread|message|parent)(_?id)?", "string"),),
        usual=(("comment", "C-1"),),
        pieces=(
            Piece(
                rules="""\
@id("reply.alone")
permit (principal, action == Action::"unattended", resource is $type);
""",
                cases=(SampleCase("an answer goes out alone", "allow", "reply.alone"),),
            ),
            _counted(
                "replies_today",
                "24h",
                """\
@id("reply.many")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.replies_today >= 30 };
""",
                SampleCase("the thirty-first of a day asks", "ask", "reply.many", context=(("replies_today", 30),)),
            ),
            Piece(
                needs=("comment",),
                rules="""\
// Two programs that answer each other stop here.
@id("reply.again")
forbid (principal, action == Action::"unattended", resource is $type)
when { context.replies_to_comment > 0 };
""",
                context="""\
[count.replies_to_comment]
tools = ["$tool"]
by = "$comment"
""",
                usual=(("replies_to_comment", 0),),
                cases=(
                    SampleCase(
                        "a second answer to a comment asks", "ask", "reply.again", context=(("replies_to_comment", 1),)
                    ),
                ),
            ),
            Piece(
                rules=_NIGHT,
                usual=(("hour", 10),),
                cases=(SampleCase("at night an answer asks", "ask", "reply.night", context=(("hour", 6),)),),
            ),
        ),
    ),
    Part(
        name="publish",
        words=r"publish|post|upload",
        title="What is published carries a name: it always asks, and there are three a day at most.",
        arguments=(),
        pieces=(
            _counted(
                "published_today",
                "24h",
                """\
@id("publish.many")
forbid (principal, action, resource is $type)
when { context.published_today >= 3 };
""",
                SampleCase("the fourth of a day is denied", "deny", "publish.many", context=(("published_today", 3),)),
            ),
            Piece(rules="", cases=(SampleCase("publishing waits for a person", "ask", "rest"),)),
        ),
    ),
)

STARTERS = {"returns": RETURNS, "content": CONTENT}
