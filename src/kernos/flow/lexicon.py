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
        inform notify rename reschedule schedule set share start tag tell update upload write änder einlad einladen häng mitteil setz teil teilen verschieb veröffentlich"""),
    Consequence.EGRESS: _set("""announce answer ask congratulate contact cc deliver drop chase email forward greet inform invite mail message notify nudge ping post publish
        remind reply report respond send share submit tell text thank welcome wish write antwort beantwort weiterleit weiterschick zurückschreib informier bedank benachrichtig entschuldig erinner frag grüß gratulier mitteil sag schick schreib send teil"""),
    Consequence.MONEY: _set("""buy charge compensate deposit donate fund owe pay purchase refund reimburse repay send settle split
        subscribe tip transfer wire abbuch auszahl begleich bezahl einzieh erstatt kauf rückzahl spend überweis zahl zurückzahl"""),
    Consequence.COMMITMENT: _set("""absag accept agree apply approve arrange attend book buy confirm decline enrol enroll hire join order place register rent request
        reserve schedule sign subscribe anmeld anpass beauftrag bestätig buch bestell erhöh extend lower miet prolong raise reservier renew senk unterschreib verläng verschieb zusag"""),
    Consequence.DESTRUCTIVE: _set("""cancel clean clear close delete discard drop end erase purge remove revoke stornier terminate throw trash undo unsubscribe void wipe
        withdraw abmeld absag entfern kündig lösch storn streich vernicht wegwerf"""),
    Consequence.CREDENTIAL: _set(
        """2fa access authorize credential grant invite key log login password pin role secret token zugang passwort"""
    ),
}
TAKING = _set("brauche brauchen choose get hol holt möchte möchten need nimm nimmt pick take takes want")
"""Behind these stands what somebody wants to have."""
MAKING = _set("create make open organise organize plan post publish start veröffentlich")
"""Of these, what makes something new and changes nothing that is there."""
SAYING = _set("announce inform mitteil notify tell")
"""Of these, what is done to people, not to what they share."""
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

LATE_NO = _set("kein keine keinen nicht nie niemals")
"""What denies the verb before it."""

IRREGULAR: Mapping[str, str] = {
    "bought": "buy", "comment": "comment", "comments": "comment", "gave": "give", "made": "make", "paid": "pay", "sent": "send", "told": "tell", "wrote": "write",
}  # fmt: skip
"""Forms that share no stem with their verb, or a wrong one: a comment has nothing to do with what comes."""

PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\blet(?:ting)?\b.{1,40}\bknow\b"), "inform"),
    (re.compile(r"\bget back to\b|\brsvp\b"), "reply"),
    (re.compile(r"\b(?:get in touch|reach out|loop \w+ in|drop \w+ a line)\b"), "inform"),
    (re.compile(r"\bset (?:\w+ )?up\b"), "create"),
    (re.compile(r"\bhand\b.{1,40}\bover\b|\bput\b.{1,40}\bin charge\b"), "assign"),
    (
        re.compile(
            r"\b(?:wait|put (?:\w+ )?off|push) .{0,30}\b(?:until|till|to)\b|\b(?:bring|push) .{1,30}\b(?:forward|back)\b"
        ),
        "move",
    ),
    (re.compile(r"\bgive \w+ (?:until|till|more time)\b"), "change"),
    (re.compile(r"\b(?:take|nimm) (?:the|das|die|den)\b"), "book"),
    (re.compile(r"\bsign (?:\w+ )?up\b"), "register"),
    (re.compile(r"\bget rid of\b|\bcall (?:\w+ )?off\b"), "cancel"),
    (re.compile(r"\b(?:give|goes?|send|pay) (?:\w+ ){0,6}back\b|\bmoney back\b|\bgeld zur\u00fcck\b"), "refund"),
    (re.compile(r"\bsag\w* .{1,40}\b(?:bescheid|dass)\b"), "inform"),
    (re.compile(r"\bsag\w* .{1,40}\b(?:ab|zu)\b"), "decline"),
    (re.compile(r"\bget (?!me\b|us\b)(?:\w+ ){1,3}(?:a|an|her|his|some|the|their|these|those)\b"), "send"),
    (re.compile(r"\btrag\w* .{1,60}\bein\b|\bleg\w* .{1,60}\ban\b"), "create"),
)
"""What people say in several words, and the verb that means it."""

SEPARABLE = _set("ab an auf aus ein um weg weiter zu zurück")
"""First halves of German verbs that stand at the end of a sentence."""

ALL = _set("all alle allen aller each every jede jeden jedes")
"""Words that want every one of what is named."""

EVERYTHING = _set("alles everything")
"""As `ALL`, where what is named follows after a few small words: everything I have booked in Oslo."""

EVERY = re.compile(
    rf"""\b(?:{"|".join(sorted(ALL))})\s+(?:of\s+)?(?:(?:the|my|our|die|den|meine|meinen|unsere|unseren)\s+)?(\w+)
    (?=\s*(?:[.,;:!?\n]|$)|\s+(?:that|dass)\s+(?:we|i|the|it|our|there|you|wir|ich|der|die|das|es|unser\w*)\b)""",
    re.VERBOSE,
)
"""Every one of a kind, with nothing behind it that could narrow it; what somebody is told may follow."""

CHOICE = _set(
    """all alle allen aller any best biggest billigste cheapest closest each earliest every fastest first highest jede jeden jedes largest last
    latest least letzte letzten longest lowest most nearest neueste newest next oldest recent second shortest smallest top"""
)
"""Words that leave it to whoever does the work to choose from a list."""

FAMILIES: tuple[frozenset[str], ...] = (
    _set("move shift postpone reschedule verschieb schieb verleg") | {"push back"},
    _set("change update correct adjust modify amend änder korrigier berichtig anpass aktualisier"),
    _set("cancel stornier absag storn") | {"call off"},
    _set("delete erase discard lösch entfern"),
    _set("book reserve buch reservier"),
    _set("order bestell"),
    _set("refund reimburse erstatt rückerstatt zurückzahl"),
    _set("transfer wire überweis"),
    _set("invite einlad"),
    _set("remind erinner"),
)
"""Verbs that ask for the same: where a tool is known by one of them, it is asked for by the others."""

QUESTION = re.compile(
    r"""\s*(?:and|so|but|ok|okay|und|also|aber)?,?\s*(?:what|what['’]s|which|who|who['’]s|whose|whom|when|where|how\s(?:much|many|long|often|far|old)|did|do|does|is|are|was|were|has|have
    |was|wer|wessen|wem|wen|wann|wo|wohin|woher|welche\w*|wie\s?(?:viel|viele|lange|oft|hoch)|ist|sind|war|waren|hat|haben|bis\swann)\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a sentence begins that asks to be told something."""

REQUEST = re.compile(
    r"\b(?:(?:can|could|would|will) you|you (?:mind|please)|please|bitte|(?:kannst|könntest|würdest) du|können sie)\b",
    re.IGNORECASE,
)
"""What makes a request of a question."""

PAGES = _set("""article articles blog browse download homepage internet link links online page pages portal site sites url urls web webpage website
    artikel netz seite seiten webseite webseiten""")
"""What people call what is behind an address."""

_PRICE = _set("amount charge cost costs fare fee price rate rent sum total betrag gebühr kosten miete preis summe")
_RATING = _set("mark points rating ratings score stars bewertung note punkte sterne")
_DAYS = _set(
    "arrival arrives created date day departure due leaves month opened posted received sent start time updated when datum monat tag"
)
_SIZE = _PRICE | _set(
    "area capacity count distance duration length quantity rooms seats size weight anzahl dauer fläche größe menge"
)
SUPERLATIVES: tuple[tuple[re.Pattern[str], frozenset[str], bool], ...] = (
    (
        re.compile(r"\b(?:cheapest|least expensive|most affordable|billigste\w*|günstigste\w*|preiswerteste\w*)\b"),
        _PRICE,
        False,
    ),
    (re.compile(r"\b(?:most expensive|priciest|dearest|teuerste\w*)\b"), _PRICE, True),
    (
        re.compile(
            r"\b(?:(?:best|highest|top)(?:[ -]rated|[ -]rating| reviewed| reviews?)|beste\w* bewert\w*|bestbewertet\w*)\b"
        ),
        _RATING,
        True,
    ),
    (re.compile(r"\b(?:worst|lowest)[ -](?:rated|rating)\b"), _RATING, False),
    (re.compile(r"\b(?:latest|newest|most recent|neueste\w*|jüngste\w*)\b"), _DAYS, True),
    (re.compile(r"\b(?:oldest|earliest|älteste\w*|früheste\w*)\b"), _DAYS, False),
    (re.compile(r"\b(?:largest|biggest|longest|größte\w*|längste\w*)\b"), _SIZE, True),
    (re.compile(r"\b(?:smallest|shortest|kleinste\w*|kürzeste\w*)\b"), _SIZE, False),
)
"""What people say of the one that has the least or, if True, the most of something, and words in the names of fields that tell how much."""
