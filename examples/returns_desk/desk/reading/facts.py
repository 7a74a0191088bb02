"""Facts in a text: order numbers, sums, dates, sizes, and addresses to use from now on."""

import re
from datetime import date, timedelta

from examples.returns_desk.desk.reading.text import fold

_NUMBER = re.compile(r"(?<![a-z0-9])a[-_ .#]{0,2}(\d{4,6})\b", re.IGNORECASE)
_BARE_NUMBER = re.compile(
    r"(?:order|bestell\w*|auftrag\w*|command\w*|pedido|ordin\w*|encomenda|purchase|nr|no|number|nummer|numero|n[o°]|num|#)"
    r"[ .:#()°-]{0,4}(?:number|nummer|numero|no|nr|num|n[o°]|is|id)?[ .:#()°-]{0,4}(\d{4,6})\b(?![.,]\d)"
)
"""Without its letters a number counts only after a word that says what it is: postcodes are numbers too."""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SUM = re.compile(
    r"(?:[€$£]|\beur(?:os?)?\b)\s?(\d{1,5}(?:[.,]\d{2})?)(?!\d)"
    r"|(?<![\d.,-])(\d{1,5}(?:[.,]\d{2})?)\s?(?:[€$£]|eur(?:os?)?\b|euro'?s\b|dollars?\b|bucks\b|pounds?\b)",
    re.IGNORECASE,
)
_SIZE_WORD = r"(?:sizes?|grosse|groesse|gr\.?|nummer|taille|pointure|talla|numero|taglia|misura|maat|maatje|tamanho)"
_BEFORE_SIZE = (
    r"(?:an?|in|to|for|the|auf|gegen|eine?|in die|du|une?|le|la|por|una?|contre|en|per|con|een|naar|voor|pelo|pela|die|der|das|il|lo|las|os|as|o|a|"
    r"para|um|uma|want|need|instead|my|graag|statt)"
)
_LETTERS = r"x{0,3}[sl]|m|xxl"
_SIZE = re.compile(
    rf"\b(?:{_SIZE_WORD}\s+(?:is\s+|eine?\s+|an?\s+|de\s+|the\s+)?(\d{{2,3}}|{_LETTERS})"
    rf"|{_BEFORE_SIZE}\s+(\d{{2,3}}|{_LETTERS}))\b(?!'|[.,]\d|\s?(?:eur|€|%))"
)
_MORE = re.compile(
    r"(one|a|half a)? ?size (up|bigger|larger)|next size up|(bigger|larger) (size|one|pair)|too (small|tight|short|narrow)|grosser|zu (klein|eng|kurz)|plus grand|trop (petit|serre|court)"
    r"|mas grande|talla mas\b|(muy |demasiado )?pequen|piu grande|taglia in piu|tropp\w (piccol|strett)|maat(je)? groter|groter|te (klein|krap)|tamanho (acima|maior)|maior|(muito |demasiado )?(pequen|apertad)"
)
_LESS = re.compile(
    r"(one|a|half a)? ?size (down|smaller)|smaller (size|one|pair)|too (big|large|loose|wide|long)|kleiner|zu (gross|weit|lang)|plus petit|trop (grand|large|long)"
    r"|mas pequen|(muy|demasiado) (grand|anch|larg)|me quedan? grande|piu piccol|tropp\w (grand|larg)|maat(je)? kleiner|te (groot|wijd)|tamanho (abaixo|menor)|menor|(muito|demasiado) grande|larg[oa]s? demais"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar janvier enero gennaio januari janeiro jan",
            "february februar fevrier febrero febbraio februari fevereiro feb",
            "march marz maerz mars marzo maart marco mar",
            "april avril abril aprile apr",
            "may mai mayo maggio mei maio",
            "june juni juin junio giugno junho jun",
            "july juli juillet julio luglio julho jul",
            "august aout agosto augustus aug ago",
            "september septembre septiembre settembre setembro sep sept",
            "october oktober octobre octubre ottobre outubro oct okt out ott",
            "november novembre noviembre novembro nov",
            "december dezember decembre diciembre dicembre dezembro dec dez",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(r"\b(?P<d>\d{1,2})[./](?P<m>\d{1,2})(?:[./](?P<y>20\d\d|\d\d))?(?:\b|(?=\.))"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\.)? ?(?:of |de |di |d')?(?P<n>{_MONTH})\b(?:,? (?:de )?(?P<y>20\d\d))?"
    ),
    re.compile(rf"\b(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y>20\d\d))?"),
)
_WORD = r"[A-ZÀ-Ý][\w'’.-]*"
_LINK = r"(?:de|del|della|di|do|da|dos|das|des|du|la|le|les|los|las|den|der|van|von|am|an|im|y|e|zum|zur)"
_WORDS = rf"{_WORD}(?:[ ](?:{_WORD}|{_LINK}))*"
_TOWN_WORDS = r"[A-ZÀ-Ý][\w'’-]*(?:[ ](?:[A-ZÀ-Ý][\w'’-]+|de|del|am|an|la))*"
_HOUSE = r"(?<![\d-])\d{1,4}[ ]?[a-zA-Z]?\b(?![ ]?\d)"
_KIND = rf"(?:rue|avenue|boulevard|place|chemin|calle|via|rua|plaza|avenida|viale|piazza)(?:[ ]{_LINK})*[ ]"
_STREET = re.compile(rf"{_HOUSE},?[ ](?:{_KIND})?{_WORDS}|(?:{_KIND})?{_WORDS},?[ ]{_HOUSE}")
_TOWN = re.compile(
    rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:-\d{{3}})?(?:[ ][A-Z]{{2}}\b)?[ ]{_TOWN_WORDS}"
    rf"|{_TOWN_WORDS},?[ ](?:[A-Z]{{1,2}}\d{{1,2}}[A-Z]?[ ]\d[A-Z]{{2}}|\d{{4,5}})\b|{_TOWN_WORDS}"
)
_AFTER_CUE = re.compile(
    r"\b(?:to|an|nach|à|a|naar|para|is|address|adresse|adres|morada|indirizzo|dirección)\s?:\s?([^\n.!?]{8,120})",
    re.IGNORECASE,
)
"""For addresses in no usual form: whatever stands after the colon, if a postcode is in it."""

_BETWEEN = re.compile(r"\s?[,;/–-]?\s{1,3}")


def order_numbers_in(text: str) -> list[str]:
    """Return order numbers in the shop's form (A, a dash and digits), in their order, each once."""
    folded = fold(_EMAIL.sub(" ", text))
    found = _NUMBER.findall(folded) or _BARE_NUMBER.findall(folded)
    return list(dict.fromkeys(f"A-{digits}" for digits in found))


def amounts_in(text: str) -> list[int]:
    """Return sums of money in cents, each once."""
    sums = (match[1] or match[2] for match in _SUM.finditer(text))
    return list(dict.fromkeys(_cents(words) for words in sums))


def _cents(words: str) -> int:
    whole, _, part = words.replace(",", ".").partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def dates_in(folded: str, received: date) -> list[str]:
    """Return dates that lie in the year before `received`, as YYYY-MM-DD; days come before months in short forms."""
    found: list[str] = []
    for form in _DATES:
        for match in form.finditer(folded):
            parts = match.groupdict()
            month = _MONTHS[parts["n"]] if parts.get("n") else int(parts["m"])
            year = int(parts["y"]) if parts.get("y") else received.year
            year += 2000 if year < 100 else 0
            for candidate in (year, year - 1):
                try:
                    day = date(candidate, month, int(parts["d"]))
                except ValueError:
                    break
                if received - timedelta(days=365) <= day <= received:
                    found.append(day.isoformat())
                    break
    return list(dict.fromkeys(found))


def sizes_in(folded: str) -> list[str]:
    """Return sizes that are named, those after the last words first."""
    found = [(named or other).upper() for named, other in _SIZE.findall(folded)]
    return list(dict.fromkeys(reversed(found)))


def size_step_in(folded: str) -> int:
    """Return 1 where something larger is wanted, -1 for smaller, 0 where neither or both are said."""
    return int(bool(_MORE.search(folded))) - int(bool(_LESS.search(folded)))


def email_in(text: str, sender: str) -> str | None:
    """Return the last e-mail address in the text that is not the sender's own."""
    others = [found.rstrip(".") for found in _EMAIL.findall(text) if found.lower().rstrip(".") != sender.lower()]
    return others[-1] if others else None


def address_in(text: str) -> str | None:
    """Return the last postal address (street, number and town) in the text, in one line."""
    plain = _NUMBER.sub(" ", _EMAIL.sub(" ", text))
    found: list[str] = []
    for street in _STREET.finditer(plain):
        between = _BETWEEN.match(plain, street.end())
        town = _TOWN.match(plain, between.end()) if between else None
        if town is not None:
            found.append(f"{street[0]}, {town[0]}")
    loose = _AFTER_CUE.findall(plain)
    found = found or [words for words in loose if re.search(r"\d{4,5}", words)]
    return " ".join(found[-1].split()).strip(" ,.") if found else None


def without_order_numbers(folded: str) -> str:
    """Return folded text in which each order number is the word `order`, as phrases have it."""
    return _NUMBER.sub("order", folded)
