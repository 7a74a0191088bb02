"""What is heard in sentences, written down: `python -m tests.flow.heard` writes `tests/flow/asked/heard.txt` anew, and the difference shows what a change changes.

Of each sentence: which kinds of action it asks for, the numbers and addresses in it, who is told something, what is left to choose, and which of the days and times
below it fits. Where a line is missing there is nothing of that kind.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kernos.flow.dates import clock_of, moments_in
from kernos.flow.facts import Facts
from kernos.flow.sums import asks_for_part, is_worked_out
from kernos.flow.text import addresses_in, is_number, key_of, number_of, telling_in, without_addresses
from kernos.flow.words import Words
from kernos.vocabulary.flow import Consequence, FlowContract

FILE = Path(__file__).with_name("asked") / "heard.txt"

SENTENCES = (
    # What is asked for.
    "Please pay the invoice.", "She paid already; I bought it and sent it, they made it and gave it, he told me and wrote back.", "Did you pay the rent?",
    "Can you pay the rent?", "How much did I spend on yoga?", "Don't pay anything.", "do not send it", "never book without asking", "Pay it, but not twice.",
    "Transfer the rest.", "Überweise den Rest.", "wire it", "Wir müssen reden.", "Reserve a table and book the hotel.", "Bestell die Blumen.", "order more",
    "cancel it", "Stornier die Reise.", "call it off", "call the meeting off", "get rid of the old files", "delete and erase", "Lösch das.", "Entferne die Datei.",
    "push back the meeting", "reschedule", "Verschieb den Termin.", "shift it", "correct the amount", "Änder die Adresse.", "Korrigiere das bitte.",
    "update my address", "invite Anna", "Lad Anna ein.", "Einladen!", "remind me", "Erinnere mich.", "let Tom know", "let the whole big family of mine and yours know",
    "Let me know.", "Tell me what it costs.", "tell Anna and Ben that we come", "Sag Anna Bescheid.", "Sag dem Chef ab.", "Sag mir Bescheid.", "get back to them",
    "reach out to Mia", "loop Paul in", "drop Paul a line", "set up a call", "set it up", "sign me up", "give her the money back", "I want my money back",
    "Geld zurück!", "get Priya the papers", "get me the papers", "Trag das bitte ein.", "Leg einen Ordner an.", "buch die Anzahlung ab", "Buch die Anzahlung nicht ab.",
    "Zahl die Miete nicht!", "Bestell kein Brot, aber Milch", "Zahl es nie", "Schreib ihr, dass wir nicht kommen", "Schreib ihr dass wir nicht kommen", "Nicht warten, zahl es", "Not now, and pay later please",
    "Schick es weiter, bitte.", "Zahl ihm das zurück", "Make a list of all orders.", "I made a comment when they came", "comments are welcome", "Give Ben access and a key.",
    "grant her a login", "Please sign the contract and accept the offer", "Could you apply for it?", "What is the password?", "Is it booked? Then confirm it.",
    "And what did we order? Please order it again.", "So which one? Take it.", "Wie viel haben wir bezahlt?", "Kannst du das bezahlen?", "Bis wann ist es fällig?",
    "publish the post and share it", "answer the landlord, and thank him", "close the ticket", "Kündige den Vertrag.", "Verlängere die Miete.", "a note for Monday",
    "Move it.\nWhat for?\nDelete it!", "Shouldn't we pay?", "You mind paying?", "would you mind telling him?", "paying, payment, payments, payed, pays",
    # Who is told, and what is left to choose.
    "Send the cheapest hotel to Anna Berger and Tom.", "Write to Mia or Ben about it.", "mail for Lena", "an Eva und Jo schreiben", "with Tom", "the latest mail", "any order",
    "I don't want it any more", "at least one order", "all right, order", "all the old invoices", "every channel", "every channel of the museum", "Every channel that we have",
    "jede Rechnung", "alle meine Rechnungen", "all invoices, please", "all of the invoices!", "each invoice dass wir haben", "most expensive room", "the priciest and dearest", "best rated place",
    "top reviews", "highest rating", "worst rated", "lowest-rating", "bestbewertete Pension", "beste Bewertung", "the newest one", "most recent", "neueste", "jüngste", "oldest", "earliest", "älteste",
    "früheste", "largest", "biggest", "longest", "größte", "längste", "smallest", "shortest", "kleinste", "kürzeste", "cheapest", "least expensive", "most affordable", "billigste", "günstigste",
    "preiswerteste", "teuerste",
    # Numbers.
    "twenty two hundred", "two thousand and five", "a dozen", "three dozen", "zwei Dutzend", "zwölf tausend", "neunzehn hundert", "five and six", "and seven", "hundred", "null",
    "nineteen ninety", "dreißig und eins", "1,200.50 and 1.200,50 and 1'200", "12k", "1.5K", "1,200", "1,20", "-5 and +7", "v1.2", "3.", "7,", "1.2.3", "one two three", "zero", "12kg", "0.10",
    # Addresses.
    "mail a.b+c@x-y.example.org, or d'artagnan@paris.fr.", "see https://x.example/a?b=(c) and www.y.example!", "shop.example.com/cart is down, not e.g. this", "a@b", "IBAN DE89 3704 0044 0532 0130 00.",
    "AT611904300234573201", "call +43 660 5550123 or (030) 1234-567", "on 2026-03-10 at 12", "10.03.2026", "order 12345678", "order 1234567", "0x52908400098527886E0F7030069857D2E4169EE7",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "Pneumonoultramicroscopicsilicovolcanoconiosis", "id 48213 or 4821", "WWW.X.DE/a.",
    # Days and times.
    "on 23 March", "on March 23", "March 23rd, 2026", "23rd of March 2026", "23.3.", "23. 3. 2026", "am 23. März", "den 5. Mai", "vom 23. bis 25. März", "from the 23rd to the 25th of March",
    "March 23-25", "23, 24 and 25 March", "the 23rd", "on the 19th at eight", "by the third", "zum 3.", "bis den 25. Jänner", "on the second of May", "Feb 3", "3 sept", "2026-03-23",
    "2026-03-23 14:30", "tomorrow", "übermorgen", "next week", "jede Woche", "this weekend", "today at 5 pm", "heute um acht", "on Thursday", "Donnerstags", "Mondays and Fridays", "Sonnabend", "in March",
    "in May", "in may be", "im Mai", "in March 2027", "March 2027", "in 2027", "for two nights from 23 March", "a week from 23 March", "23 March for a month", "eine Woche ab 23. März", "for 3 days",
    "for 900 weeks", "another fortnight", "for a year", "at 8", "at 8:30", "at 20:30", "8.30 pm", "at 14.15 Uhr", "8 am", "8 p.m.", "12 am", "12 pm", "at noon", "mittags", "um 7 Uhr früh", "at 3",
    "at 4 in the morning", "early, at 5", "at five", "seven o'clock", "7 o’clock", "um drei", "gegen 18 Uhr", "14h", "at 08:00", "at 25", "at 24:00", "at 10:75", "at 5 €", "at 5 percent", "at 30.5",
    "Monday 23 March at 9", "32 March", "on 2026-02-30", "nothing at all", "last month", "am Montag um 9:15", "nights of March", "on the first", "Saturday in March", "until 25 March 2026 at 10 a.m.",
)  # fmt: skip

MOMENTS = (
    "2026-03-23", "2026-03-24", "2026-03-25", "2027-03-23", "2026-03-30", "2026-04-23", "2026-03-03", "2026-05-02", "2026-05-05", "2026-02-03", "2026-09-03", "2026-01-25", "2026-03-19T08:00",
    "2026-03-19T20:00", "2026-03-26", "2026-03-28", "2026-03-29", "2026-03-01", "2027-03-01", "2027-01-01", "2026-04-22", "2026-04-23T09:00", "2026-03-23T14:30", "2026-03-23T00:00", "23.03.2026", "1.5.2026",
    "2026-03-23T09:00", "2026-03-23T21:00", "2026-02-30", "March", "2026-3-23 9:15",
)  # fmt: skip
CLOCKS = (
    "00:00", "03:00", "15:00", "04:00", "16:00", "05:00", "17:00", "07:00", "19:00", "08:00", "20:00", "08:30", "20:30", "09:00", "21:00", "09:15", "10:00", "12:00", "14:00", "14:15", "14:30", "18:00",
)  # fmt: skip
SUMS = (
    ("half of 90", "45"), ("half of 90", "90"), ("the hälfte of 90", "45"), ("a third of 90", "30"), ("ein drittel von 90", "30"), ("a quarter of 90", "22.5"), ("ein viertel von 90", "22.50"), ("a fifth of 90", "18"),
    ("double 90", "180"), ("twice 90", "180"), ("90 doppelt", "180"), ("triple 90", "270"), ("split 90 equally", "30"), ("split 90 among us", "7.5"), ("split 91 among us", "7"), ("teile 90 auf, je", "18"),
    ("90 plus 10 %", "99"), ("90 less 10 percent", "81"), ("10 prozent von 90", "9"), ("10 of 90", "9"), ("90 minus 20", "70"), ("20 minus 90", "70"), ("the rest of 90 after 20", "70"), ("the rest of 90 after 20", "110"),
    ("90 plus 20", "110"), ("add 90 and 20", "110"), ("90 and 20 together", "110"), ("90 times 20 altogether", "1800"), ("the sum of 90, 20 and 5", "115"), ("raise 90 by 20", "110"), ("senke 90 um 20", "70"), ("90", "90"),
    ("half of 1", "0.5"), ("third of 1", "0.33"), ("double 600000000000000", "1200000000000000"), ("half of 2000000000000000", "1000000000000000"), ("double 499999999999999", "999999999999998"),
)  # fmt: skip
VALUES: Sequence[object] = (
    "Anna Berger", "anna-berger", " A@B.Example ", "straße@x.example", "STRASSE", "5.0", "5.10", "05", "1e3", "https://X.example/a/", "a/b/", "--", "", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000",
    "zero\u200bwidth", "x\u00ady", "Ärger", "12.50 €", "1.200,50", "5 or 6", "none", "-5", "+5", "12k", True, 5, 5.5, 5.0, None, "0x52", "3.", "20%", "\u0663", "10.03.2026", "1'000",
)  # fmt: skip


def told() -> Iterator[str]:
    """Yield the lines of the file."""
    for sentence in SENTENCES:
        yield repr(sentence)
        words = Words([sentence])
        for name, found in _heard(words):
            if found:
                yield f"  {name}: {found}"
    yield "sums"
    for sentence, amount in SUMS:
        number = number_of(amount)
        assert number is not None
        is_sum = is_worked_out(number, frozenset(), Facts(Words([sentence])))
        yield f"  {sentence!r} {amount}: {is_sum}, a part {asks_for_part([sentence])}"
    yield "values"
    for value in VALUES:
        text = str(value)
        days = [f"{one.day}{f' {one.clock}' if one.clock else ''}" for one in moments_in(value)]
        shown = f"key {key_of(text)!r}, number {number_of(value)}, is one {is_number(value)}, days {days}, clock {clock_of(value)}"
        yield f"  {value!r}: {shown}"


def _heard(words: Words) -> Iterator[tuple[str, str]]:
    (sentence,) = words.texts
    asked = [one for n, one in enumerate(Consequence) if words.ask_for(f"a{n}.b{n}", FlowContract(one))]
    yield "asks for", ", ".join(asked)
    verbs = ("cancel", "book", "order", "refund", "transfer", "invite", "remind", "move", "change", "delete", "pay")
    tools = {f"desk.{verb}": FlowContract(Consequence.COMMITMENT) for verb in verbs}
    yield "asks to", ", ".join(name for name, flow in tools.items() if words.ask_for(name, flow, tools))
    yield "numbers", ", ".join(map(str, sorted(words.numbers)))
    yield "addresses", " | ".join(addresses_in(sentence))
    yield "tells", " | ".join(telling_in(sentence))
    plain = without_addresses(sentence)
    yield "without addresses", repr(plain) if plain != sentence else ""
    names = ("anna", "berger", "tom", "mia", "ben", "eva", "jo", "lena", "paul", "it", "chef")
    yield "addressed", ", ".join(name for name in names if words.address(name))
    lists = ("mail", "order", "hotels", "invoices", "rechnung", "channels", "room")
    yield "a choice of", ", ".join(name for name in lists if words.leave_a_choice(name))
    yield "all of", ", ".join(name for name in lists if words.want_all_of(name))
    yield "all that are", ", ".join(name for name in (*lists, "old", "alle") if words.want_all(frozenset({name})))
    yield (
        "the one of",
        ", ".join(f"{'most' if most else 'least'} {min(fields)}" for fields, most in words.extremes),
    )
    if not words.when.is_silent:
        fitting = [text for text in MOMENTS for one in moments_in(text) if words.when.fit(one)]
        yield "fits", " ".join(fitting) or "no day"
        yield "names", " ".join(text for text in MOMENTS for one in moments_in(text) if words.when.name(one.day))
    clocks = [text for text in CLOCKS if (clock := clock_of(text)) is not None and words.when.fit_clock(clock)]
    yield "at", " ".join(clocks) if len(clocks) < len(CLOCKS) else ""
    yield "speaks of pages", "yes" if words.mention_pages else ""


if __name__ == "__main__":
    FILE.write_text("".join(f"{line}\n" for line in told()), encoding="utf-8")
    print(f"{FILE.name}: {len(SENTENCES)} sentences")
