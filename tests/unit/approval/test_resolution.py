"""Which status a request can have, given what was signed about it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from remit.approval.rules import possible_statuses
from remit.vocabulary import RequestStatus
from tests.unit.approval.asking import NOON, request, vote
from tests.unit.approval.test_statements import GRANT

SOON, LATE = NOON + timedelta(minutes=1), NOON + timedelta(hours=1)
YES, NO = vote("ada"), vote("grace", "reject", 1)
OPEN = {"pending", "canceled", "invalidated"}
VOID = replace(GRANT, voided_at=SOON, void_reason="policy_changed")
STOPPED = replace(GRANT, voided_at=SOON, void_reason="canceled")
TWO = {"required_approvals": 2}


@pytest.mark.parametrize(
    ("asked", "votes", "grants", "more", "found"),
    [
        ({}, [], [], {}, OPEN),
        ({}, [], [], {"at": LATE}, {*OPEN, "expired"}),
        (TWO, [YES], [], {}, OPEN),
        (TWO, [YES], [], {"at": LATE}, {*OPEN, "expired"}),
        # Withheld for want of money, or a vote that does not count.
        ({}, [YES], [], {}, OPEN),
        ({}, [NO], [], {}, {"rejected"}),
        (TWO, [YES, NO], [], {"at": LATE}, {"rejected"}),
        ({"rejection_ends": False}, [NO], [], {}, OPEN),
        ({}, [YES], [GRANT], {}, {"approved"}),
        ({}, [YES], [GRANT], {"at": LATE}, {"approved"}),
        ({}, [YES], [GRANT], {"started": True}, {"consumed"}),
        ({}, [YES], [VOID], {}, {"invalidated"}),
        ({}, [YES], [STOPPED], {}, {"canceled"}),
        ({}, [YES], [], {"started": True}, set()),
    ],
)
def test_the_status_of_a_request_follows_from_what_was_signed(
    asked: dict[str, Any], votes: Any, grants: Any, more: dict[str, Any], found: set[str]
) -> None:
    around: dict[str, Any] = {"started": False, "at": SOON} | more
    for status in get_args(RequestStatus):
        one = request(**asked, status=status)
        assert possible_statuses(one, votes, grants, **around) == found
