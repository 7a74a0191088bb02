"""Statements: policy text cut into single rules, and where in it something stands."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kernos.vocabulary.policies import Place

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|\w+|::|&&|\|\||[=!<>]=|\S', re.DOTALL)
_UNFINISHED = "unexpected end of input"


@dataclass(frozen=True, slots=True)
class Statement:
    """One rule of a file, as it stands between two semicolons."""

    file: str
    whole: str
    """The file's text."""
    begin: int
    """Where its first word stands in that; comments before it are left out."""
    end: int

    @property
    def text(self) -> str:
        """Return the rule as it is written, to its semicolon."""
        return self.whole[self.begin : self.end]

    @property
    def place(self) -> Place:
        """Return where it begins."""
        return self.at(0)

    def at(self, offset: int) -> Place:
        """Return the place of a character of it."""
        position = self.begin + offset
        line_begin = self.whole.rfind("\n", 0, position) + 1
        return Place(self.file, self.whole.count("\n", 0, position) + 1, position - line_begin + 1)

    def find(self, word: str) -> Place:
        """Return where a word, or a text in quotes, stands in it first; else where it begins."""
        code = without_comments(self.text)
        found = re.search(rf"(?<![\w\"]){re.escape(word)}(?![\w\"])", code) or re.search(re.escape(word), code)
        return self.at(found.start()) if found and word else self.place

    def first_wrong(self, fault: Callable[[str], str]) -> Place:
        """Return where the grammar breaks: the end of the shortest beginning with which `fault` finds more wrong than that it ends."""
        code = without_comments(self.text)
        pieces = list(_PIECE.finditer(code))
        low, high = 0, len(pieces) - 1
        while low < high:  # What is wrong stays wrong however much follows.
            middle = (low + high) // 2
            found = fault(code[: pieces[middle].end()])
            if found and _UNFINISHED not in found:
                high = middle
            else:
                low = middle + 1
        return self.at(pieces[low].start()) if pieces else self.place


def statements_of(file: str, text: str) -> Iterator[Statement]:
    """Cut after each semicolon outside strings and comments; yield each piece that holds more than comments."""
    start = 0
    ends = [token.end() for token in _TOKEN.finditer(text) if token.group() == ";"]
    for end in [*ends, len(text)]:
        code = re.search(r"\S", without_comments(text[start:end]))
        if code:
            yield Statement(file, text, start + code.start(), end)
        start = end


def without_comments(text: str) -> str:
    """Blank the comments out; every other character keeps its place."""
    return _TOKEN.sub(lambda token: re.sub(".", " ", token[0]) if token[0].startswith("//") else token[0], text)
