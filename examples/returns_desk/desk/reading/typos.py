"""Typing errors: words that are one letter away from a word that matters are read as that word."""

import re
from functools import cache

_WORDS = {
    "en": "charged charge refund return exchange cancel cancelled damaged broken address delivered delivery arrived package "
    "parcel order ordered received wrong missing replacement invoice account tracking money label smaller bigger size "
    "lawyer chargeback human manager changed shipped different instead scratched cracked status please thanks email",
    "de": "ruckerstattung erstattung stornieren beschadigt kaputt defekt rucksendung umtauschen lieferadresse bestellung "
    "falsche anwalt zuruck grosse adresse",
    "fr": "remboursement rembourser annuler retourner echanger commande endommage casse adresse taille",
    "es": "reembolso cancelar devolver devolucion cambiar pedido danado direccion talla",
    "it": "rimborso annullare restituire ordine danneggiato rotto indirizzo taglia",
    "nl": "terugbetaling annuleren retourneren terugsturen bestelling beschadigd kapot adres",
    "pt": "reembolso cancelar devolver devolucao encomenda danificado partido endereco morada tamanho",
}
_LETTERS_MIN = 5
"""Shorter words have too many neighbours that mean something else."""


def corrected(folded: str, language: str) -> str:
    """Return folded text in which near misses of words that matter in its language are those words."""
    return re.sub(rf"[a-z]{{{_LETTERS_MIN},}}", lambda match: _word(match[0], language), folded)


@cache
def _neighbours(language: str) -> dict[str, str]:
    words = _WORDS[language].split()
    near = {cut: word for word in words if len(word) > _LETTERS_MIN for cut in _cuts(word)}
    return {**near, **{word: word for word in words}}


def _word(word: str, language: str) -> str:
    """Read `word`: as it is if known, else as a known word with one letter more, fewer, other or swapped."""
    known = _neighbours(language)
    if word in known:
        return known[word]
    for cut in _cuts(word):
        near = known.get(cut)
        if near is not None and abs(len(near) - len(word)) <= 1 and not word.startswith(near[:-1]):
            return near
    return word


def _cuts(word: str) -> list[str]:
    """Return `word` without each one of its letters but the first, which people seldom get wrong."""
    return [word[:place] + word[place + 1 :] for place in range(1, len(word))]
