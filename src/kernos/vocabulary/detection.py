"""Detection: labelled values in free text: e-mail addresses, telephone numbers, card numbers and IBANs.

Card numbers and IBANs have check digits, so that an order's number is not taken for one; an e-mail address is told by its form, and a
telephone number by its international or trunk prefix. Sources: ISO/IEC 7812-1 (Luhn), ISO 13616 (mod 97-10), ITU-T E.164 (15 digits).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

EMAIL, PHONE, CARD, ACCOUNT = "pii.email", "pii.phone", "pay.pan", "pay.iban"


@dataclass(frozen=True, slots=True)
class Detected:
    """A labelled value in a text: where it begins and ends, and its label."""

    begin: int
    end: int
    label: str


_EMAIL = re.compile(r"[^\s@<>()\[\]\"',;:]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}")
_ACCOUNT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<!\d)(?<!\d[ -])\d(?:[ -]?\d){12,18}(?!\d)")
_PHONE = re.compile(
    r"(?<![\w+])(?<!\d[ -])(?:\+|00)[1-9](?:[ ()/.-]{0,2}\d){6,14}(?!\d)|(?<![\w+])(?<!\d[ -])\(?0\d{1,5}\)?[ /-](?:[ ./-]?\d){4,11}(?!\d)"
)
_PHONE_DIGITS_MIN, _PHONE_DIGITS_MAX = 7, 17
_ACCOUNT_LENGTH_MIN, _ACCOUNT_LENGTH_MAX = 15, 34


def detect(text: str) -> list[Detected]:
    """Return the values in a text, in their order; those with check digits first where two overlap."""
    found: list[Detected] = []
    for one in (*_accounts(text), *_cards(text), *_plain(text, _EMAIL, EMAIL), *_phones(text)):
        if all(one.end <= other.begin or other.end <= one.begin for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.begin)


def is_card(digits: str) -> bool:
    """Tell whether digits end with the check digit of a card number (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 * (number > 9)  # noqa: PLR2004 - the sum of its two digits
    return total % 10 == 0 and digits.strip("0") != ""


def is_account(letters: str) -> bool:
    """Tell whether an IBAN without spaces has the right check digits."""
    turned = letters[4:] + letters[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _plain(text: str, form: "re.Pattern[str]", label: str) -> Iterator[Detected]:
    for found in form.finditer(text):
        yield Detected(found.start(), found.end(), label)


def _cards(text: str) -> Iterator[Detected]:
    for found in _CARD.finditer(text):
        if is_card(re.sub(r"\D", "", found[0])):
            yield Detected(found.start(), found.end(), CARD)


def _accounts(text: str) -> Iterator[Detected]:
    """Try each beginning and each length: what stands around an IBAN may look like more of it."""
    at = 0
    while found := _ACCOUNT.search(text, at):
        begin, at = found.start(), found.start() + 1
        for end in range(found.end(), begin + _ACCOUNT_LENGTH_MIN - 1, -1):
            letters = re.sub(r"[ -]", "", text[begin:end])
            if (
                text[end - 1].isalnum()
                and not text[end : end + 1].isalnum()
                and _ACCOUNT_LENGTH_MIN <= len(letters) <= _ACCOUNT_LENGTH_MAX
                and is_account(letters)
            ):
                yield Detected(begin, end, ACCOUNT)
                at = end
                break


def _phones(text: str) -> Iterator[Detected]:
    for found in _PHONE.finditer(text):
        if _PHONE_DIGITS_MIN <= sum(letter.isdigit() for letter in found[0]) <= _PHONE_DIGITS_MAX:
            yield Detected(found.start(), found.end(), PHONE)
