"""Votes as one line out of which nothing is cut unseen, and what a grant says of all of them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from remit.approval.answers import (
    heard,
    heard_problems,
    in_line,
    line_problems,
    previous_of,
    vote_digest,
)
from remit.approval.statements import sign_vote
from remit.approval.types import Grant, Vote
from tests.unit.approval.asking import request, vote
from tests.unit.approval.test_statements import GRANT, KEYS

ASKED = request()
EARLIER = request(id=UUID(int=7), status="rejected")


def line(*votes: Vote) -> list[Vote]:
    """Return votes that were cast one after the other, each signed with what was there before."""
    cast: list[Vote] = []
    for one in votes:
        new = replace(one, standing={"hands": [one.voter], "previous": previous_of(cast)})
        cast.append(sign_vote(new, ASKED, KEYS))
    return cast


VOTES = line(vote("ada"), vote("grace", "reject", 1), vote("ada", at=2), vote("hedy", at=3))


def test_votes_that_follow_from_one_another_have_no_fault() -> None:
    assert line_problems([]) == []
    assert line_problems(VOTES) == []
    assert previous_of([]) is None
    assert previous_of(VOTES) == vote_digest(VOTES[-1])


@pytest.mark.parametrize("cut", range(3))
def test_a_vote_that_is_cut_out_is_missed_by_the_one_after_it(cut: int) -> None:
    left = VOTES[:cut] + VOTES[cut + 1 :]
    assert line_problems(left) == [
        f"the vote of {VOTES[cut + 1].voter} follows another one than the one before it"
    ]


def test_a_row_that_is_written_once_more_is_one_vote() -> None:
    again = [*VOTES[:2], VOTES[0], *VOTES[2:], VOTES[1]]
    assert in_line(again) == VOTES
    assert line_problems(again) == []


def test_votes_of_before_this_was_noted_are_followed_and_follow_nothing() -> None:
    old = sign_vote(vote("ada"), ASKED, KEYS)
    new = replace(vote("grace", at=1), standing={"previous": vote_digest(old)})
    both = [old, sign_vote(new, ASKED, KEYS)]
    assert line_problems(both) == []
    assert line_problems(both[1:]) != []


def granted(heard_of: Any) -> Grant:
    return replace(GRANT, heard=heard_of)


def test_a_grant_says_all_that_was_answered_before_it() -> None:
    assert heard([], []) is None
    assert heard(VOTES[:1], []) == {"answers": [vote_digest(VOTES[0])], "requests": []}
    said = heard(VOTES[:2], [(EARLIER, VOTES[2:])])
    assert said == {
        "answers": [vote_digest(VOTES[0]), vote_digest(VOTES[1])],
        "requests": [
            {
                "id": str(EARLIER.id),
                "status": "rejected",
                "answers": [vote_digest(VOTES[2]), vote_digest(VOTES[3])],
            }
        ],
    }
    assert heard_problems(granted(said), VOTES[:2], [(EARLIER, VOTES[2:])]) == []
    assert heard_problems(granted(None), [], []) == []


ANSWERS = "was issued after other answers than there are"
REQUESTS = "was issued after other requests, or answers to them, than there are"


@pytest.mark.parametrize(
    ("answers", "earlier", "problems"),
    [
        (VOTES[:1], [(EARLIER, VOTES[2:])], [ANSWERS]),
        (VOTES[:2][::-1], [(EARLIER, VOTES[2:])], [ANSWERS]),
        (VOTES[:2], [], [REQUESTS]),
        (VOTES[:2], [(EARLIER, VOTES[3:])], [REQUESTS]),
        (VOTES[:2], [(replace(EARLIER, status="expired"), VOTES[2:])], [REQUESTS]),
        ([], [], [ANSWERS, REQUESTS]),
    ],
)
def test_whatever_is_cut_out_or_changed_afterwards_differs_from_the_grant(
    answers: Any, earlier: Any, problems: list[str]
) -> None:
    said = heard(VOTES[:2], [(EARLIER, VOTES[2:])])
    assert heard_problems(granted(said), answers, earlier) == problems


def test_a_grant_that_says_it_in_another_form_differs() -> None:
    said = {**(heard(VOTES[:1], []) or {}), "more": True}
    words = ["says otherwise than there is what was answered before it"]
    assert heard_problems(granted(said), VOTES[:1], []) == words
