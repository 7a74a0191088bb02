"""Forecast: what a run still needs, for all that is known of those like it."""

from kernos.scheduling.forecast import KINDS_MAX, Forecast


def test_nothing_is_known_of_an_agent_that_never_ran() -> None:
    assert Forecast().left("desk", 100, 0) == 0.0


def test_a_run_needs_what_others_like_it_needed_and_less_once_it_has_had_some() -> None:
    forecast = Forecast()
    for work in (80, 100, 120, 100):
        forecast.learn("desk", 1_000, work)
    assert forecast.left("desk", 1_000, 0) == 100
    assert forecast.left("desk", 1_000, 90) == (10 + 30 + 10) / 3
    assert forecast.left("other", 1_000, 0) == 0.0


def test_runs_with_larger_inputs_are_told_apart_where_enough_have_ended() -> None:
    forecast = Forecast()
    for _ in range(4):
        forecast.learn("desk", 100, 10)
        forecast.learn("desk", 10_000, 1_000)
    assert (forecast.left("desk", 100, 0), forecast.left("desk", 10_000, 0)) == (10, 1_000)
    assert forecast.left("desk", 1_000, 0) == 505, "of a size that nobody knows, what all of the agent needed"


def test_sizes_beside_one_another_stand_in_for_one_another() -> None:
    forecast = Forecast()
    for _ in range(2):
        forecast.learn("desk", 100, 10)
        forecast.learn("desk", 115, 20)
        forecast.learn("desk", 50_000, 9_000)
    assert forecast.left("desk", 100, 0) == 15


def test_a_run_longer_than_all_before_is_taken_for_nearly_done() -> None:
    forecast = Forecast()
    for _ in range(4):
        forecast.learn("desk", 100, 10)
    assert forecast.left("desk", 100, 400) == 100


def test_what_agents_needed_lately_counts_and_memory_is_bounded() -> None:
    forecast = Forecast()
    for work in [10] * 500 + [900] * 64:
        forecast.learn("desk", 100, work)
    assert forecast.left("desk", 100, 0) == 900
    for n in range(KINDS_MAX):
        forecast.learn(f"agent {n}", 100, 1)
    assert len(forecast._samples) == KINDS_MAX
    assert forecast.left("desk", 100, 0) == 0.0
