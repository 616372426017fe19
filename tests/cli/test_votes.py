"""Votes on the command line: who may cast one, and what is said of it."""

import json
from collections.abc import Callable

from tests.cli.conftest import Remit, propose_arguments


def proposed(live: Remit, **changed: str | None) -> str:
    """Propose a directive and return its id."""
    shown = live(*propose_arguments(**changed), "--json")
    assert shown.err == ""
    identifier: str = json.loads(shown.out)["outcomes"][0]["directive"]["id"]
    return identifier


def test_nobody_approves_what_they_issued(live: Remit) -> None:
    identifier = proposed(live, scope="staging")
    shown = live("approve", identifier, "--json")
    line = "alice issued this directive, and policy does not allow self-approval; ask somebody else"
    assert (shown.code, shown.out) == (2, "")
    assert json.loads(shown.err)["error"]["message"] == line


def test_a_second_vote_of_the_same_person_says_that_it_is_one(
    live: Remit, change_policy: Callable[[str, str], None]
) -> None:
    change_policy("required_approvals = 1", "required_approvals = 2")
    identifier = proposed(live, scope="staging")
    vote = ("approve", identifier, "--as", "bob", "--yes")
    assert "bob: approve  ->  proposed  (1 more needed)\n" in live(*vote).out
    again = "bob: approve  ->  proposed  (bob had voted already; 1 more needed)\n"
    assert again in live(*vote).out
    assert json.loads(live(*vote, "--json").out)["again"] is True
