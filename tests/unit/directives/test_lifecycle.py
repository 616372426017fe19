"""A directive moves only along its table."""

import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.directives.lifecycle import (
    get_valid_next_statuses,
    is_terminal_status,
    validate_transition,
)
from remit.errors import IllegalTransitionError, InvalidInputError
from remit.vocabulary import DirectiveStatus

STATUSES = get_args(DirectiveStatus)
LEGAL = {
    ("draft", "proposed"),
    ("proposed", "approved"),
    ("proposed", "blocked"),
    ("approved", "executing"),
    ("approved", "blocked"),
    ("executing", "complete"),
    ("executing", "aborted"),
    ("blocked", "proposed"),
}


@pytest.mark.parametrize("current", STATUSES)
@pytest.mark.parametrize("target", STATUSES)
def test_exactly_the_listed_pairs_are_legal(current: str, target: str) -> None:
    assert (target in get_valid_next_statuses(current)) == ((current, target) in LEGAL)
    if (current, target) in LEGAL:
        validate_transition(current, target)
    else:
        with pytest.raises(IllegalTransitionError) as caught:
            validate_transition(current, target)
        assert caught.value.field == "status"
        assert all(status in caught.value.message for status in get_valid_next_statuses(current))


@pytest.mark.parametrize("status", STATUSES)
def test_only_complete_and_aborted_are_final(status: str) -> None:
    assert is_terminal_status(status) == (status in {"complete", "aborted"})


@pytest.mark.parametrize(
    ("current", "target", "message"),
    [
        (
            "draft",
            "approved",
            "a directive cannot go from draft to approved: only proposed may follow",
        ),
        (
            "proposed",
            "complete",
            "a directive cannot go from proposed to complete: only approved or blocked may follow",
        ),
        (
            "complete",
            "proposed",
            "a directive cannot go from complete to proposed: complete is final",
        ),
        (
            "approved",
            "approved",
            "a directive cannot go from approved to approved: only executing or blocked may follow",
        ),
    ],
)
def test_a_refusal_names_what_may_follow(current: str, target: str, message: str) -> None:
    with pytest.raises(IllegalTransitionError) as caught:
        validate_transition(current, target)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("current", "target"), [("done", "draft"), ("draft", "done"), ("complete", "done")]
)
def test_an_unknown_status_is_bad_input_on_either_side(current: str, target: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        validate_transition(current, target)
    assert str(caught.value) == (
        'status: unknown directive status "done"; the statuses are draft, proposed, approved, '
        "executing, complete, blocked and aborted"
    )


@pytest.mark.parametrize("status", ["", "Draft", " draft", "draft\x00", "x" * 10_000])
def test_a_status_is_matched_exactly(status: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        is_terminal_status(status)
    assert len(caught.value.message) < 250
    with pytest.raises(InvalidInputError):
        get_valid_next_statuses(status)


@given(st.lists(st.sampled_from(STATUSES), max_size=50), st.sampled_from(STATUSES))
def test_no_walk_of_attempts_leaves_a_final_status(attempts: list[str], status: str) -> None:
    for target in attempts:
        try:
            validate_transition(status, target)
        except IllegalTransitionError:
            continue
        assert not is_terminal_status(status)
        status = target


@given(st.randoms(use_true_random=False), st.sampled_from(STATUSES))
def test_every_status_can_still_reach_an_end(choice: random.Random, status: str) -> None:
    for _ in range(200):
        following = sorted(get_valid_next_statuses(status))
        if not following:
            break
        status = choice.choice(following)
    reachable = {status}
    for _ in STATUSES:
        reachable |= {after for status in reachable for after in get_valid_next_statuses(status)}
    assert any(is_terminal_status(status) for status in reachable)
