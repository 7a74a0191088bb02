"""Tokens: Cedar's text cut into words, and what its escapes stand for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Cedar's white space is Unicode's; Python's `\\s` also means the separators 1c to 1f."""
_TOKEN = re.compile(
    rf"[{_SPACE}]+|//[^\n\r]*"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]+)"
    r'|(?P<string>"(?:\\[^\n]|[^"\\])*")'
    r"|(?P<slot>\?[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>::|==|!=|<=|>=|&&|\|\||[@(){}\[\],:;.<>+*!-])"
)
_ESCAPE = re.compile(r"\\(?:x([0-7][0-9A-Fa-f])|u\{([0-9A-Fa-f][0-9A-Fa-f_]*)\}|([nrt0'\"\\*]))|[\\\r]")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "'": "'", '"': '"', "\\": "\\"}
_CODE_DIGITS_MAX = 6
_CODE_MAX = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


class Unreadable(ValueError):
    """A text is no Cedar policy; `offset` is where, in characters from its beginning."""

    def __init__(self, message: str, offset: int) -> None:
        """Say what is wrong, in words for whoever wrote the policy."""
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, string (with its quotes), slot or sign; `end` closes the text."""

    kind: str
    text: str
    offset: int


def tokens(text: str) -> Iterator[Token]:
    """Yield what stands in the text without white space and comments, then one of kind `end`. Raises Unreadable."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            shown = "a string that is not closed" if text[at] == '"' else f"{text[at]!r}"
            message = f"{shown} is no part of Cedar's language"
            raise Unreadable(message, at)
        if found.lastgroup:
            yield Token(found.lastgroup, found[0], at)
        at = found.end()
    yield Token("end", "", at)


def string(token: Token) -> str:
    """Return what a string stands for. Raises Unreadable."""
    return "".join(letter for letter, _ in _letters(token, pattern=False))


def pattern(token: Token) -> list[object]:
    """Return what stands right of `like`: letters, and "Wildcard" for each bare `*`. Raises Unreadable."""
    letters = _letters(token, pattern=True)
    return ["Wildcard" if wild else {"Literal": letter} for letter, wild in letters]


def _letters(token: Token, *, pattern: bool) -> Iterator[tuple[str, bool]]:
    """Yield each letter, and whether it is a wildcard in a pattern (also one written as a code is one, as in Cedar)."""
    at, inner = 0, token.text[1:-1]
    for found in _ESCAPE.finditer(inner):
        yield from ((letter, letter == "*") for letter in inner[at : found.start()])
        letter = _meant(found, pattern=pattern)
        if letter is None:
            message = f"{found[0]!r} is no valid escape in a string"
            raise Unreadable(message, token.offset + 1 + found.start())
        yield letter, letter == "*" and found[3] != "*"
        at = found.end()
    yield from ((letter, letter == "*") for letter in inner[at:])


def _meant(found: re.Match[str], *, pattern: bool) -> str | None:
    byte, code, sign = found.groups()
    if byte is not None:
        return chr(int(byte, 16))
    if code is not None:
        digits = code.replace("_", "")
        number = int(digits, 16)
        valid = len(digits) <= _CODE_DIGITS_MAX and number <= _CODE_MAX and number not in _SURROGATES
        return chr(number) if valid else None
    if sign == "*":
        return "*" if pattern else None
    return _PLAIN.get(sign or "")
