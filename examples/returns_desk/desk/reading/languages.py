"""Languages: which of seven a folded text is written in, by its small words."""

import re

_SMALL_WORDS = {
    "en": "the and is my i to it of a for not have was with you please can this would but got order want just did me hi",
    "de": "der die das und ist ich nicht mein meine habe bitte ein eine mit sie war zu den auf noch es wie wurde hallo mir",
    "fr": "le la les et est je pas mon ma un une bonjour vous avec mais pour j'ai que des du ne ce merci commande suis cette",
    "es": "el los y es mi un una no con pero por que he hola mis para del quiero gracias me lo muy esta pedido ha se las",
    "it": "il lo gli e mio mia un una non con ma per che ho ciao della del grazie mi vorrei buongiorno di sono ordine ha",
    "nl": "de het een en is ik niet mijn heb met maar voor van hallo graag dat dit wil op bestelling nog jullie kan te zijn vallen jullie normaal als",
    "pt": "o os e meu minha um uma nao com mas por que ola para do da quero obrigado obrigada encomenda ainda foi eu em ola a da de tem ja peco comprei deixou nao",
}
_SETS = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}


def language_of(folded: str) -> str:
    """Return the ISO 639-1 code of the likeliest language; English where nothing tells."""
    words = re.findall(r"[a-z']+", folded)
    counts = {language: sum(word in known for word in words) for language, known in _SETS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] else "en"
