"""Which differences between a service's list and the journal are told, and how."""

from kernos.kernel.reconcile import Acted, Deviation, Finding, Seen, differences
from kernos.vocabulary.ids import IdempotencyKey

PAID = {"order": "o1", "cents": 500}


def acted(key: str, status: str = "performed", tool: str = "pay") -> Acted:
    return Acted(IdempotencyKey(key), tool, PAID, status)


def test_a_list_that_says_the_same_has_no_differences() -> None:
    assert differences([acted("a"), acted("b")], [Seen("t1", PAID, "b"), Seen("t2", PAID)]) == ()


def test_what_happened_once_more_than_intended_is_doubled_with_and_without_keys() -> None:
    assert differences([acted("a")], [Seen("t1", PAID, "a"), Seen("t2", PAID, "a")]) == (
        Finding(Deviation.DOUBLED, "t2", "a"),
    )
    assert differences([acted("a"), acted("b")], [Seen("t1", PAID), Seen("t2", PAID), Seen("t3", PAID)]) == (
        Finding(Deviation.DOUBLED, "t3", "b"),
    )


def test_what_arrives_after_the_journal_gave_it_up_is_late() -> None:
    assert differences([acted("a", "failed")], [Seen("t1", {"order": "o1"})]) == (Finding(Deviation.LATE, "t1", "a"),)


def test_what_is_in_doubt_and_in_the_list_happened() -> None:
    assert differences([acted("a", "doubted")], [Seen("t1", PAID)]) == (Finding(Deviation.HAPPENED, "t1", "a"),)


def test_a_performed_action_takes_an_effect_before_one_in_doubt_and_that_before_a_failed_one() -> None:
    actions = [acted("f", "failed"), acted("d", "doubted"), acted("p")]
    found = differences(actions, [Seen("t1", PAID), Seen("t2", PAID)])
    assert found == (Finding(Deviation.HAPPENED, "t2", "d"),)


def test_what_nobody_asked_for_is_unintended_and_what_is_not_there_is_missing() -> None:
    found = differences([acted("a")], [Seen("t1", {"order": "o2", "cents": 500})])
    assert found == (Finding(Deviation.UNINTENDED, "t1", ""), Finding(Deviation.MISSING, "", "a"))


def test_an_effect_that_tells_a_name_which_no_action_has_is_unintended() -> None:
    assert differences([acted("a", "failed")], [Seen("t1", {"colour": "red"})]) == (
        Finding(Deviation.UNINTENDED, "t1", ""),
    )


def test_an_action_under_way_explains_its_effect() -> None:
    assert differences([acted("a", "open")], [Seen("t1", PAID)]) == ()


def test_an_effect_belongs_only_to_tools_it_may_come_from() -> None:
    actions = [acted("a"), acted("b", tool="pay.back")]
    effects = [Seen("t1", PAID, tools=("pay.back",)), Seen("t2", PAID, tools=("pay",))]
    assert differences(actions, effects) == ()
    assert differences(actions[:1], effects[:1]) == (
        Finding(Deviation.UNINTENDED, "t1", ""),
        Finding(Deviation.MISSING, "", "a"),
    )
