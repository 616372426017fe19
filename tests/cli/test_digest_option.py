"""`--digest` of `approve` and `reject`: a vote on another action than the one seen is refused."""

import json

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Remit, Shown, propose_arguments
from tests.support.contents import write

OTHER = "sha256:" + "0" * 64
VOTES = pytest.mark.parametrize("vote", [("approve",), ("reject", "--reason", "no")], ids=str)


def waiting(live: Remit) -> tuple[str, str]:
    """Propose a directive that needs a person; return its id and its action digest."""
    shown = live(*propose_arguments(scope="staging"), "--json")
    directive = json.loads(shown.out)["outcomes"][0]["directive"]
    return directive["id"], directive["action_digest"]


def refusal(identifier: str, seen: str, digest: str) -> Shown:
    """Return what a refused vote leaves behind."""
    line = (
        f'remit: digest: you saw "{seen}", and the action digest of directive {identifier} is '
        f'"{digest}": look again with `remit show`, and vote on what it shows\n'
    )
    return Shown(2, "", line)


def votes_on(live: Remit, identifier: str) -> list[object]:
    """Return the votes that are kept, once it is sure that the directive still waits."""
    record = json.loads(live("show", identifier, "--json").out)
    assert (record["directive"]["status"], record["request"]["status"]) == ("proposed", "pending")
    votes: list[object] = record["votes"]
    return votes


@VOTES
def test_the_digest_that_was_seen_changes_nothing_of_a_vote(
    live: Remit, vote: tuple[str, ...]
) -> None:
    identifier, digest = waiting(live)
    shown = live(*vote, identifier, "--as", "bob", "--digest", digest, "--json")
    assert (shown.code, shown.err) == (0, "")
    found = json.loads(shown.out)["vote"]
    assert (found["decision"], found["action_digest"]) == (vote[0], digest)


@VOTES
@pytest.mark.parametrize("options", [(), ("--yes",), ("--json",)], ids=str)
def test_another_digest_is_refused_and_nothing_is_voted(
    live: Remit, vote: tuple[str, ...], options: tuple[str, ...]
) -> None:
    identifier, digest = waiting(live)
    shown = live(*vote, identifier, "--as", "bob", "--digest", OTHER, *options)
    refused = refusal(identifier, OTHER, digest)
    if "--json" in options:
        error = json.loads(shown.err)["error"]
        assert (shown.code, shown.out, error["type"]) == (2, "", "conflict")
        assert f"remit: digest: {error['message']}\n" == refused.err
    else:
        assert shown == refused
    assert votes_on(live, identifier) == []


@pytest.mark.parametrize("wrong", ["{0:.70}", "{0} ", "SHA256:{0}", "\u202e{0}", ""], ids=ascii)
def test_only_the_very_same_digest_will_do(live: Remit, wrong: str) -> None:
    identifier, digest = waiting(live)
    seen = wrong.format(digest)
    shown = live("approve", identifier, "--as", "bob", "--digest", seen)
    assert shown == refusal(identifier, seen.replace("\u202e", "\\u202e"), digest)
    assert votes_on(live, identifier) == []


def test_an_action_that_was_changed_since_it_was_seen_is_refused(
    live: Remit, engine: sa.Engine
) -> None:
    identifier, digest = waiting(live)
    write(engine, "UPDATE directives SET scope = 'test' WHERE id = :id", id=identifier)
    shown = live("approve", identifier, "--as", "bob", "--digest", digest)
    assert (shown.code, shown.out) == (2, "")
    assert f'remit: digest: you saw "{digest}", and the action digest of ' in shown.err
    assert votes_on(live, identifier) == []
