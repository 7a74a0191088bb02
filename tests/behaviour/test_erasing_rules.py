"""Erasing and looking: the pure rules."""

import pytest

from kernos.kernel.administering import administer, administered
from kernos.kernel.administration import Administration
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.erasure import EraseSubject, ShowValues, SubjectErased, ValuesShown
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, RunId, StepName

ANA = PrincipalId("person:ana")


def after(*datas: SubjectErased | ValuesShown) -> Administration:
    return administered(
        Administration(), [Event(ADMINISTRATION, n, EpochMs(1), ANA, "call", data) for n, data in enumerate(datas)]
    )


def test_a_key_is_destroyed_once() -> None:
    erase = EraseSubject(DEFAULT_TENANT, ("k1", "k2"), 3, "asked to")
    assert administer(Administration(), erase) == (SubjectErased(DEFAULT_TENANT, ("k1", "k2"), 3, "asked to"),)
    gone = after(SubjectErased(DEFAULT_TENANT, ("k1",), 1, "x"))
    assert gone.erased == frozenset({"k1"})
    assert administer(gone, erase) == (SubjectErased(DEFAULT_TENANT, ("k2",), 3, "asked to"),)
    assert after(
        SubjectErased(DEFAULT_TENANT, ("k1",), 1, "x"), SubjectErased(DEFAULT_TENANT, ("k2",), 1, "x")
    ).erased == {"k1", "k2"}
    assert administer(after(SubjectErased(DEFAULT_TENANT, ("k1", "k2"), 1, "x")), erase) == ()


def test_whoever_looks_at_values_says_why() -> None:
    show = ShowValues(DEFAULT_TENANT, RunId("r"), StepName("2"), ("pii.email",), "to call them")
    shown = ValuesShown(DEFAULT_TENANT, RunId("r"), StepName("2"), ("pii.email",), "to call them")
    assert administer(Administration(), show) == (shown,)
    assert after(shown).erased == frozenset()
    with pytest.raises(InvalidInput, match="says why"):
        administer(Administration(), ShowValues(DEFAULT_TENANT, RunId("r"), StepName("2"), ("pii.email",), ""))
