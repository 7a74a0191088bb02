"""Lexicon: the phrases, in folded text, by which wishes and tones are recognised; wishes in a file a language."""

import re
import tomllib
from pathlib import Path
from typing import get_args

from examples.returns_desk.desk.ticket import Intent

_FILES = sorted(Path(__file__).with_name("phrases").glob("*.toml"))
_READ = [tomllib.loads(file.read_text(encoding="utf-8")) for file in _FILES]
_PHRASES: dict[Intent, list[re.Pattern[str]]] = {
    intent: [re.compile(phrase) for phrases in _READ for phrase in phrases[intent].split("\n") if phrase]
    for intent in get_args(Intent)
}

_NOT_WANTED = re.compile(
    r"(don't|do not|dont|no) (want|need|wish|ask for|looking for) (a |any |my |the |to )?(refund|return|money back|money|exchange|replacement|new one|cancel)\w*"
    r"|(no|not a|without a|rather than( a)?|instead of (a|the)) (refund|return|exchange|replacement)\b"
    r"|(keine?|nicht die|statt einer|will kein\w*) (ruckerstattung|erstattung|rucksendung|umtausch|ersatz|geld)"
    r"|(pas de|pas un|sans) (remboursement|retour|echange)|(no quiero|sin) (un |el |la )?(reembolso|devolucion|cambio)"
    r"|(non voglio|senza) (un |il )?(rimborso|reso|cambio)|(geen) (terugbetaling|retour|ruil|geld)"
    r"|(nao quero|sem) (um |o |a )?(reembolso|devolucao|troca)"
)

_THREAT = re.compile(
    r"lawyer|solicitor|attorney|legal (action|step|team|proceeding)|\bsu(e|ing) (you|your)|small claims|\bcourt\b|charge-?back|dispute .{0,30}(charge|payment|bank|card)|trading standards|consumer (protection|rights|council)|ombudsman|(call|tell|contact|ring) (the |my )?(press|newspaper|police|bank)|report you|police|expose you|local (press|paper)"
    r"|anwalt|anwalt|rechtsanw|gericht\b|anzeige|verbraucher(schutz|zentrale)|ruckbuchung|zuruckbuchen|rechtliche schritte|presse\b|polizei|klage"
    r"|avocat|tribunal|porter plainte|mise en demeure|action en justice|dgccrf|ufc|opposition"
    r"|abogad|denuncia|demandar|tribunales|juzgado|consumo\b|hoja de reclamacion|policia"
    r"|avvocat|denunci|vie legali|giudice|codacons|polizia"
    r"|advocaat|rechter|rechtbank|juridisch|aangifte|consumentenbond|politie|incasso"
    r"|advogad|processar|processo judicial|livro de reclamacoes|deco\b|procon|policia|queixa"
)

_PERSON = re.compile(
    r"(speak|talk|chat) (to|with) (a |an |some|your )?(real |actual |human|person|someone|manager|supervisor|agent)|real (person|human)|(a|your) (manager|supervisor)|human being|call me|not a (bot|robot|machine)|no (bots|robots)"
    r"|echten? mensch|vorgesetzt|menschen sprechen|mitarbeiter sprechen|rufen sie mich"
    r"|(parler|parle) a (un|une) (humain|personne|responsable|vrai)|un responsable|rappelez"
    r"|hablar con (una|un|alguien)|persona real|un responsable|encargado"
    r"|parlare con (un|una|qualcuno)|persona (vera|reale)|responsabile"
    r"|(iemand|mens|medewerker) (spreken|aan de lijn)|echt (mens|persoon)|leidinggevende"
    r"|falar com (uma|um|alguem)|pessoa real|gerente"
)

_WHOLE = re.compile(
    r"(whole|entire|complete|full) (order|purchase|lot|thing|refund|amount)|everything|all (of (it|them)|items|the items|three|four)|both"
    r"|alles|ganze\w* bestellung|komplette?|gesamte?|beide"
    r"|tout(e)?\b|entiere?|les deux|complete"
    r"|todo(s)?\b|complet[oa]|enter[oa]|ambos"
    r"|tutt[oaie]\b|intero|complet[oa]|entrambi"
    r"|hele bestelling|alles|volledige|allebei"
    r"|tudo|inteir[oa]|complet[oa]|ambos"
)


def intents_in(folded: str) -> list[Intent]:
    """Return the wishes in folded text, the ones with most phrases first."""
    kept = _NOT_WANTED.sub(" ", folded)
    scores = {intent: sum(bool(phrase.search(kept)) for phrase in phrases) for intent, phrases in _PHRASES.items()}
    found = [intent for intent in scores if scores[intent]]
    return sorted(found, key=lambda intent: -scores[intent])


def threatens(folded: str) -> bool:
    """Tell whether lawyers, courts, chargebacks, authorities or the press are named."""
    return bool(_THREAT.search(folded))


def wants_person(folded: str) -> bool:
    """Tell whether somebody insists on a human being."""
    return bool(_PERSON.search(folded))


def means_whole_order(folded: str) -> bool:
    """Tell whether a whole order is meant."""
    return bool(_WHOLE.search(folded))
