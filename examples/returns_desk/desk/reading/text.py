"""Text: a message folded for matching, with quoted earlier mail and text that instructs software set apart."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parts:
    """A message in its parts: what its writer says, what is quoted below it, and whether some of it instructs software."""

    own: str
    quoted: str
    instructs: bool


def fold(text: str) -> str:
    """Return `text` in lower case, without accents, with plain apostrophes and single spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("’", "'").replace("`", "'"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", letters.lower()).strip()


def parts_of(text: str) -> Parts:
    """Set quoted lines, everything below a mail's head line, instructions to software and what no reader sees apart."""
    text, unseen = _UNSEEN.subn("\n\n", text)
    own: list[str] = []
    quoted: list[str] = []
    below = False
    for line in text.splitlines():
        below = below or bool(_HEAD.search(fold(line)))
        (quoted if below or line.lstrip().startswith(">") else own).append(line)
    body = "\n".join(own)
    if not body.strip():  # Somebody only sent old mail on: then that is what they say.
        body, quoted = "\n".join(line.lstrip("> ") for line in quoted), []
    kept, instructs = _without_instructions(body)
    return Parts(kept, "\n".join(quoted), instructs or bool(unseen))


_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(\w+)[^>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0)[^>]*>.*?(?:</\1>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
"""Comments and hidden parts of a page: nobody who looks at the mail sees them, so no customer means them."""


def _without_instructions(text: str) -> tuple[str, bool]:
    """Drop each instruction to software, up to the end of its paragraph: it is no wish of a customer."""
    kept = []
    found = False
    for paragraph in re.split(r"\n\s*\n|(?<=-->)|(?=<!--)", text):
        sentences = re.split(r"(?<=[.!?\]])\s+|\n", paragraph)
        for place, sentence in enumerate(sentences):
            if _INSTRUCTION.search(fold(sentence)):
                found = True
                kept.append(" ".join(sentences[:place]))
                break
        else:
            kept.append(paragraph)
    return "\n\n".join(kept), found


_HEAD = re.compile(
    r"^-{2,} ?(original message|ursprungliche nachricht|forwarded|weitergeleitet|message d'origine|mensaje original)"
    r"|^(on|am|le|el|il|op|em) .{4,80}(wrote|schrieb|ecrit|escribio|ha scritto|schreef|escreveu) ?:?.*$"
    r"|^(from|von|de|da|van) ?: .*@"
)

_INSTRUCTION = re.compile(
    r"(ignore|disregard|forget|override|bypass) .{0,30}(previous|prior|above|earlier|all|any|every|your) ?.{0,20}"
    r"(instruction|rule|prompt|polic|guideline|limit|check)"
    r"|(ignorier|vergiss|missachte)\w* .{0,30}(anweisung|regel|vorgabe|richtlinie)"
    r"|(ignore[zr]?|oublie[zr]?) .{0,30}(instruction|consigne|regle)"
    r"|(ignora|ignore|olvida) .{0,30}(instruccion|regla|istruzion|regol|instruc)"
    r"|(negeer|vergeet) .{0,30}(instructie|regel)"
    r"|(^|\W)(system|assistant|developer|admin)( (prompt|message|note|notice|override|instruction))? ?(:|\]|>)"
    r"|<\W{0,3}(system|instruction|admin|assistant)|\[\W{0,2}(system|instruction|inst|admin)"
    r"|(you are|act as|du bist|tu es|eres|sei|jij bent) (now|jetzt|maintenant|ahora|ora|nu)\W"
    r"|\b(as|dear|hey|attention|note to( the)?) (ai|bot|chatbot|llm|language model|ai agents?|automated (agent|system))\b"
    r"|\b(ai|llm|automated|support) (agent|assistant|model|system)s?( reading|:| must| should| processing| handling)"
    r"|(^|[.!?>] ?)(dear |hello |hi )?(assistant|ai|chatbot|agent|bot|model)\s?,"
    r"|tool_?calls?|function_?calls?|\bexport the (names|customers?|data)"
    r"|(developer|debug|maintenance|god) mode|jailbreak|new instructions? ?:|end of (ticket|message|user input)"
    r"|(call|invoke|execute|run|use) (the )?\w*[ _.]?(refund|tool|function)\w*\("
    r"|pre-?approved by|already (been )?(approved|authori[sz]ed) by (the )?(system|admin|management|manager|ceo|supervisor)"
)
