"""A run moves only along its table."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import IllegalTransitionError, InvalidInputError
from remit.execution.lifecycle import (
    get_valid_next_statuses,
    is_terminal_status,
    validate_transition,
)
from remit.vocabulary import RunStatus

STATUSES = get_args(RunStatus)
LEGAL = {
    ("pending", "running"),
    ("pending", "canceled"),
    ("pending", "failed"),
    ("running", "completed"),
    ("running", "failed"),
    ("running", "canceled"),
}


@pytest.mark.parametrize("current", STATUSES)
@pytest.mark.parametrize("target", STATUSES)
def test_exactly_the_listed_pairs_are_legal(current: str, target: str) -> None:
    assert (target in get_valid_next_statuses(current)) == ((current, target) in LEGAL)
    if (current, target) in LEGAL:
        validate_transition(current, target)
    else:
        with pytest.raises(IllegalTransitionError):
            validate_transition(current, target)


@pytest.mark.parametrize("status", STATUSES)
def test_only_completed_failed_and_canceled_are_final(status: str) -> None:
    assert is_terminal_status(status) == (status in {"completed", "failed", "canceled"})


@pytest.mark.parametrize(
    ("current", "target", "message"),
    [
        (
            "pending",
            "completed",
            (
                "a run cannot go from pending to completed: only running, failed or canceled may "
                "follow"
            ),
        ),
        ("failed", "running", "a run cannot go from failed to running: failed is final"),
    ],
)
def test_a_refusal_names_what_may_follow(current: str, target: str, message: str) -> None:
    with pytest.raises(IllegalTransitionError) as caught:
        validate_transition(current, target)
    assert caught.value.message == message


def test_a_directive_status_is_unknown_to_runs() -> None:
    with pytest.raises(InvalidInputError) as caught:
        validate_transition("pending", "approved")
    assert str(caught.value) == (
        'status: unknown run status "approved"; the statuses are pending, running, completed, '
        "failed and canceled"
    )


@given(st.lists(st.sampled_from(STATUSES), max_size=50), st.sampled_from(STATUSES))
def test_no_walk_of_attempts_leaves_a_final_status(attempts: list[str], status: str) -> None:
    for target in attempts:
        try:
            validate_transition(status, target)
        except IllegalTransitionError:
            continue
        assert not is_terminal_status(status)
        status = target
