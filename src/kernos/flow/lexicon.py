"""Lexicon: by which words people ask for actions, in English and German; tools add their own (`FlowContract.asked_by`)."""

import re
from collections.abc import Mapping

from kernos.vocabulary.flow import Consequence


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ASKED_BY: Mapping[Consequence, frozenset[str]] = {
    Consequence.PRIVATE_WRITE: _set("""add append archive arrange change collect copy create draft edit enter fill flag keep label list log make mark move
        note organize organise plan prepare put record setz  remember remind rename replace reschedule save schedule set sort start star store
        summarize summarise tag track turn update upload write anlegen änder aufschreib eintrag eintragen erinner leg mach merk merken notier notieren notiz sammel schreib speicher trag umbenenn verschieb
        vermerk"""),
    Consequence.SHARED_WRITE: _set("""add announce arrange assign change comment create edit enter invite make move open organize organise plan post publish put
        rename reschedule schedule set share start tag update upload write änder einlad einladen häng mitteil setz teil teilen verschieb veröffentlich"""),
    Consequence.EGRESS: _set("""announce answer ask congratulate contact cc deliver drop chase email forward inform invite mail message notify nudge ping post publish
        remind reply report respond send share submit tell text thank write antwort beantwort informier bedank benachrichtig entschuldig erinner frag mitteil sag schick schreib send teil"""),
    Consequence.MONEY: _set("""buy charge compensate deposit donate fund owe pay purchase refund reimburse repay send settle split
        subscribe tip transfer wire abbuch begleich bezahl einzieh erstatt kauf rückzahl spend überweis zahl zurückzahl"""),
    Consequence.COMMITMENT: _set("""absag accept agree apply approve arrange attend book buy confirm decline enrol enroll hire join order place register rent request
        reserve schedule sign subscribe anmeld anpass beauftrag bestätig buch bestell erhöh extend lower miet prolong raise reservier renew senk unterschreib verläng verschieb zusag"""),
    Consequence.DESTRUCTIVE: _set("""cancel clean clear close delete discard drop end erase purge remove revoke stornier terminate throw trash undo unsubscribe void wipe
        withdraw abmeld absag entfern kündig lösch storn streich vernicht wegwerf"""),
    Consequence.CREDENTIAL: _set(
        """2fa access authorize credential grant invite key log login password pin role secret token zugang passwort"""
    ),
}
GENERIC = _set("get set the and for new all with from tool api svc my to of in on by id")
"""What stands in many tools' names."""
PLAIN = GENERIC | _set(
    """about after also before can com could did does each every find first from give has have her him his how into just last latest let look
    many may message mine more most much need net new next now old one org our out over own please see should she some subject than that their
    them then there these they this those today tomorrow two use very want was week weeks were what when where which who will with would www year
    you your yesterday aber auch auf aus bei bitte das dass dem den der des die ein eine einen einer es für hat ich ihm ihn ihr ist kann
    mich mir mit nach noch oder sich sie sind und uns von war was wenn wer wie wir zum zur
    day days hour hours month months night nights people person persons euro euros monat monate nacht nächte person personen stunde stunden tag tage
    uhr woche wochen"""
)
"""Words that name nothing in particular."""
NO = _set("not never dont without no nicht kein keine ohne")
"""What denies the words shortly behind it."""

IRREGULAR: Mapping[str, str] = {
    "bought": "buy", "comment": "comment", "comments": "comment", "gave": "give", "made": "make", "paid": "pay", "sent": "send", "told": "tell", "wrote": "write",
}  # fmt: skip
"""Forms that share no stem with their verb, or a wrong one: a comment has nothing to do with what comes."""

PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\blet\b.{1,40}\bknow\b"), "inform"),
    (re.compile(r"\bget back to\b|\brsvp\b"), "reply"),
    (re.compile(r"\b(?:get in touch|reach out|loop \w+ in|drop \w+ a line)\b"), "inform"),
    (re.compile(r"\bset (?:\w+ )?up\b"), "create"),
    (re.compile(r"\bsign (?:\w+ )?up\b"), "register"),
    (re.compile(r"\bget rid of\b|\bcall (?:\w+ )?off\b"), "cancel"),
    (re.compile(r"\b(?:give|send|pay) (?:\w+ ){0,4}back\b|\bmoney back\b|\bgeld zur\u00fcck\b"), "refund"),
    (re.compile(r"\bsag\w* .{1,40}\b(?:bescheid|dass)\b"), "inform"),
    (re.compile(r"\bsag\w* .{1,40}\b(?:ab|zu)\b"), "decline"),
    (re.compile(r"\bget (?!me\b|us\b)(?:\w+ ){1,3}(?:a|an|her|his|some|the|their|these|those)\b"), "send"),
    (re.compile(r"\btrag\w* .{1,60}\bein\b|\bleg\w* .{1,60}\ban\b"), "create"),
)
"""What people say in several words, and the verb that means it."""

ALL = _set("all alle allen aller each every jede jeden jedes")
"""Words that want every one of what is named."""

CHOICE = _set(
    """all alle allen aller any best biggest billigste cheapest closest each earliest every fastest first highest jede jeden jedes largest last
    latest least letzte letzten longest lowest most nearest neueste newest next oldest recent second shortest smallest top"""
)
"""Words that leave it to whoever does the work to choose from a list."""
