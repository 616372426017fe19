"""`remit explain`: what is missing, who could give it, and what would fail."""

import json
from collections.abc import Callable, Mapping

import pytest

from tests.cli.conftest import Remit, propose_arguments, without_ids
from tests.support.contents import SHORT
from tests.support.golden import golden

ECHO = f"echo {SHORT.version}, {SHORT.digest}"


def test_it_names_the_rule_the_people_and_what_would_fail(live: Remit) -> None:
    identifier = live_proposal(live, scope="staging")
    shown = live("explain", identifier)
    assert shown.code == 0
    assert golden("explain", "a directive that waits for a person", module=ECHO) == without_ids(
        shown.out
    )


def test_it_names_the_tool_that_no_worker_has(live: Remit) -> None:
    shown = live("explain", live_proposal(live, type="validate"))
    assert shown.code == 0
    assert 'no worker has announced the tool "validate"' in shown.out


@pytest.mark.parametrize(
    ("asker", "suggested"),
    [
        ("bob", "approve {id}"),
        ("alice", "approve {id} --as {able}"),
        ("planner", "approve {id} --as {able}"),
        ("remit_nobody", "approve {id} --as {able}"),
    ],
)
def test_a_vote_is_suggested_for_who_may_cast_it(
    live: Remit,
    tokens: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    asker: str,
    suggested: str,
) -> None:
    identifier = live_proposal(live, scope="staging")
    monkeypatch.setenv("REMIT_TOKEN", tokens.get(asker, asker))
    lines = [" ".join(line.split()) for line in live("explain", identifier).out.splitlines()]
    [able] = [line.removeprefix("could approve ") for line in lines if "could approve" in line]
    named = suggested.format(id=identifier[:8], able=able.split(", ")[0])
    assert f"next: remit {named}" in lines
    assert f"or: remit {named.replace('approve', 'reject')} --reason WHY" in lines


@pytest.mark.parametrize("changed", [{"type": "validate"}, {"scope": "production"}])
def test_no_vote_is_suggested_that_would_come_to_nothing(
    live: Remit, changed: dict[str, str]
) -> None:
    identifier = live_proposal(live, **({"scope": "staging"} | changed))
    shown = live("explain", identifier).out
    assert "would fail" in shown
    assert "remit approve" not in shown


def test_where_nobody_may_vote_somebody_is_to_be_made_known(
    live: Remit, change_policy: Callable[[str, str], None]
) -> None:
    change_policy("[approval]", '[approval]\napprover_groups = ["none"]')
    shown = live("explain", live_proposal(live, scope="staging")).out
    assert "could approve  nobody" in shown
    assert shown.endswith("next: remit token invite NAME --role approver --group none\n")


def test_what_a_change_of_policy_voided_is_to_be_retried(
    live: Remit, change_policy: Callable[[str, str], None]
) -> None:
    identifier = live_proposal(live, scope="staging")
    change_policy('"1h"', '"2h"')
    assert live("explain", identifier).out.endswith(f"next: remit retry {identifier[:8]}\n")
    refused = live("approve", identifier, "--as", "bob", "--yes")
    assert f"`remit retry {identifier}` asks again" in refused.err


def test_a_program_reads_the_same_as_json(live: Remit) -> None:
    identifier = live_proposal(live, scope="staging")
    found = json.loads(live("explain", identifier, "--json").out)
    assert found["directive"]["id"] == identifier
    assert found["waiting"]["missing"] == 1
    assert found["obstacles"] == []


def test_a_quorum_that_cannot_be_met_is_told(
    live: Remit, change_policy: Callable[[str, str], None]
) -> None:
    change_policy("required_approvals = 1", "required_approvals = 50")
    identifier = live_proposal(live, scope="staging")
    shown = without_ids(live("explain", identifier).out)
    assert golden("explain", "a quorum that cannot be met", module=ECHO) == shown


def test_a_rule_that_could_be_taken_for_another_is_shown_with_escapes(
    live: Remit, change_policy: Callable[[str, str], None]
) -> None:
    change_policy('"staging"', '"st\u0430ging"')
    identifier = live_proposal(live, scope="st\u0430ging")
    shown = " ".join(live("explain", identifier).out.split())
    assert 'asked for by staging-needs-a-person: scope is "st\\u0430ging"' in shown


def test_what_is_approved_blocked_and_unknown_is_explained_too(live: Remit) -> None:
    approved = live_proposal(live)
    shown = without_ids(live("explain", approved).out)
    assert golden("explain", "an approved directive", module=ECHO) == shown
    blocked = live_proposal(live, scope="production")
    assert golden("explain", "a blocked directive") == without_ids(live("explain", blocked).out)
    assert live("explain", "0" * 8).code == 2


def live_proposal(live: Remit, **changed: str) -> str:
    """Propose a directive and return its identifier."""
    found = json.loads(live(*propose_arguments(**changed), "--json").out)
    return str(found["outcomes"][0]["directive"]["id"])
