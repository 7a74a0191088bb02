"""Lexicon: the phrases, in folded text, by which wishes and tones are recognised; wishes in a file a language."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from examples.returns_desk.desk.ticket import Intent

_FILES = sorted(Path(__file__).with_name("phrases").glob("*.toml"))
_PHRASES: dict[str, dict[Intent, list[re.Pattern[str]]]] = {
    file.stem: {
        cast("Intent", intent): [re.compile(phrase) for phrase in phrases.split("\n") if phrase]
        for intent, phrases in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }
    for file in _FILES
}
"""By language: a phrase of one may mean nothing, or something else, in another."""

_THING = r"(refund|return|label|money|money back|exchange|replacement|replace|new one|other one|another( one)?|one|swap|cancel)"
_NOT_WANTED = re.compile(
    rf"(don't|do not|dont|doesn't|does not|didn't|not|no|never) (want|need|wish|asking|ask for|looking for) (a |any |my |the |to |for |it )?{_THING}\w*( or (a |any )?{_THING}\w*)*( anything)?"
    rf"|(no|not a|without a|rather than( a)?|instead of (a|the)) {_THING}\b(( and| or|,) (no )?{_THING}\b)*"
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

_PROFESSION = re.compile(
    r"(i am|i'm|as|being|my (wife|husband|son|daughter|sister|brother) is) an? (lawyer|solicitor|attorney|judge|police officer)"
    r"|(ich bin|als) (ein |eine )?(anwalt|anwaltin|rechtsanwalt|rechtsanwaltin|polizist)|je suis avocate?"
    r"|soy abogad[oa]|sono (un'? ?)?avvocat[oa]|ik ben advocaat|sou advogad[oa]"
)
"""What somebody is, which is no threat."""

_PART = re.compile(
    r"\b(one|1) (of (them|the|my)|is|has|was|came|arrived|had)\b|the other (one )?(is|was|has)|(bad|broken|damaged) one\b|keep(ing)? the (good|other)|take .{1,30} off"
    r"|\b(eine[rs]?|einer davon) (ist|war|hat|davon)|der andere|die andere"
    r"|\bune? (est|seule?|des|autre)|celle qui|celui qui|(les|des) (deux|trois|quatre|autres) .{0,12}(sont|autres)"
    r"|\bun[oa] (de|esta|viene|vino|ha|llego)|l[oa]s? (otr[oa]s?)|el otro"
    r"|\bun[oa] (dei|delle|e|di|era)|l'altr[oa]|\been (van|is|was)|de andere|\bum[a]? (del[ae]s|d[oa]s|esta|veio)|[oa] outr[oa]"
)

_WITHDRAWN = re.compile(
    r"forget (about )?(it|that|my)|never ?mind|(no longer|not) necessary|ignore (me|my (last|previous|mail|email|message|request))"
    r"|already (solved|sorted|resolved)|(hat|habe) sich (das )?(schon )?erledigt|vergessen sie (das|es)|laissez tomber|oubliez"
    r"|(olvid\w+|olviden) (lo|mi)|ya esta (resuelto|solucionado)|lasci\w* (stare|perdere)|laat (maar|zitten)|esquec\w+ (isso|o meu)"
)

_ADVERTISING = re.compile(
    r"\bseo\b|page (1|one)\b|backlink|free audit|web ?design (agency|offer)|guest post|crypto|casino|lottery|boost your (sales|ranking|traffic)"
    r"|business proposal|we noticed your (web)?site|unsubscribe|leads for your"
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


def intents_in(folded: str, language: str) -> list[Intent]:
    """Return the wishes in folded text, the ones with most phrases first; in any language where its own has none."""
    kept = _NOT_WANTED.sub(" ", folded)
    found = _found(kept, _PHRASES[language])
    return found or next(filter(None, (_found(kept, phrases) for phrases in _PHRASES.values())), [])


def _found(folded: str, phrases: Mapping[Intent, Sequence[re.Pattern[str]]]) -> list[Intent]:
    scores = {intent: sum(bool(one.search(folded)) for one in forms) for intent, forms in phrases.items()}
    return sorted((intent for intent in scores if scores[intent]), key=lambda intent: -scores[intent])


def means_part(folded: str) -> bool:
    """Tell whether only one of several pieces, or a part of an order, is meant."""
    return bool(_PART.search(folded))


def is_withdrawn(folded: str) -> bool:
    """Tell whether an earlier wish is taken back."""
    return bool(_WITHDRAWN.search(folded))


def advertises(folded: str) -> bool:
    """Tell whether somebody wants to sell something to the shop."""
    return bool(_ADVERTISING.search(folded))


def threatens(folded: str) -> bool:
    """Tell whether lawyers, courts, chargebacks, authorities or the press are named."""
    return bool(_THREAT.search(_PROFESSION.sub(" ", folded)))


def wants_person(folded: str) -> bool:
    """Tell whether somebody insists on a human being."""
    return bool(_PERSON.search(folded))


def means_whole_order(folded: str) -> bool:
    """Tell whether a whole order is meant."""
    return bool(_WHOLE.search(folded))
