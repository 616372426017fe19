"""Directives through the commands, on the real services: what is printed in a pipe, exactly."""

import json
import re
from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Remit, Shown, propose_arguments, without_ids
from tests.support.contents import SHORT, write
from tests.support.golden import golden

pytestmark = pytest.mark.usefixtures("worker")

ID, TIME = "I" * 36, "T" * 24
ECHO = f"echo {SHORT.version}, {SHORT.digest}"


def proposed(live: Remit, **changed: str | None) -> str:
    """Propose a directive and return its id."""
    shown = live(*propose_arguments(**changed), "--json")
    assert shown.err == ""
    identifier: str = json.loads(shown.out)["outcomes"][0]["directive"]["id"]
    return identifier


def without_sizes(text: str) -> str:
    """Return what `show` prints without ids and sizes: artifacts hold times and process ids."""
    return re.sub(r"\d+ bytes", "N bytes", without_ids(text))


def test_propose_prints_the_verdict_every_reason_and_what_to_type_next(live: Remit) -> None:
    shown = live(*propose_arguments())
    assert (shown.code, shown.err) == (0, "")
    assert golden("propose", "an approved directive") == without_ids(shown.out)


def test_propose_wait_ends_with_the_directive(live: Remit) -> None:
    shown = live(*propose_arguments(payload='{"a": 1}'), "--wait")
    assert shown.code == 0
    assert without_ids(shown.out).endswith(f"{ID}  complete\nnext: remit show IIIIIIII\n")


def test_whoever_issued_it_is_told_to_ask_somebody_else(live: Remit) -> None:
    shown = live(*propose_arguments(scope="staging"))
    assert (shown.code, shown.err) == (0, "")
    assert without_ids(shown.out).endswith(
        "next: remit explain IIIIIIII\nor:   remit approve IIIIIIII --as NAME\n"
    )


def test_a_blocked_directive_is_exit_code_1_with_every_reason(live: Remit) -> None:
    shown = live(*propose_arguments(scope="moon", type="rocket", budget="$5,000"))
    assert shown.code == 1
    assert golden("propose", "a blocked directive") == without_ids(shown.out)


def test_several_directives_are_a_table_and_a_sum(live: Remit) -> None:
    one = {"role": "operator", "type": "noop", "objective": "rest", "scope": "test"}
    lines = [json.dumps(one), json.dumps(one | {"scope": "moon"}), json.dumps(one)]
    shown = live("propose", "-", stdin="\n".join(lines).encode())
    assert shown.code == 1
    assert golden("propose", "several directives") == without_ids(shown.out)


def test_the_same_key_gives_the_same_directive_and_other_content_a_conflict(live: Remit) -> None:
    first = proposed(live, idempotency_key="k-1")
    shown = live(*propose_arguments(idempotency_key="k-1"))
    assert shown.out.startswith(f"directive {first}  ")
    assert "(stored before under the same key)" in shown.out
    other = live(*propose_arguments(idempotency_key="k-1", objective="say bye"))
    line = (
        f"remit: idempotency_key: the key 'k-1' was used before for directive {first} "
        "with other content; use a new key\n"
    )
    assert other == Shown(2, "", line)


def test_a_draft_enters_the_gate_when_it_is_submitted(live: Remit) -> None:
    shown = live(*propose_arguments(), "--draft", "--json")
    identifier = json.loads(shown.out)["outcomes"][0]["directive"]["id"]
    again = live("retry", identifier)
    line = f"remit: directive {identifier} is draft: use `remit submit` for it\n"
    assert again == Shown(2, "", line)
    assert live("submit", identifier, "--wait").code == 0
    line = f"remit: directive {identifier} is complete, which is final; propose a new one instead\n"
    assert live("submit", identifier) == Shown(2, "", line)


def test_what_a_change_of_policy_voided_is_asked_about_again_by_one_command(
    live: Remit, change_policy: Callable[[str, str], None]
) -> None:
    first, second = proposed(live, scope="staging"), proposed(live, scope="staging")
    change_policy('version = "1"', 'version = "2"')
    assert f"`remit retry {first}` asks again" in live("approve", first, "--as", "bob", "--yes").err
    one = live("retry", "--voided", "--limit", "1")
    assert one.out.splitlines()[0].split() == ["ID", "STATUS", "TYPE", "SCOPE", "WHY"]
    assert one.out.splitlines()[-1].startswith("next: remit retry --voided")
    shown = live("retry", "--voided", "--json")
    found = json.loads(shown.out)
    told = one.out + " ".join(each["directive"]["id"] for each in found["outcomes"])
    assert first[:8] in told
    assert second[:8] in told
    assert {each["decision"]["policy_version"] for each in found["outcomes"]} == {"2"}
    again = live("retry", "--voided")
    assert again == Shown(0, "no change of the policy made anything void\n", "")
    assert live("approve", first, "--as", "bob", "--yes").code == 0


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ((), ""),
        (("--wait",), ""),
        (("abcd", "--voided"), ", which does not --wait"),
        (("--voided", "--wait"), ", which does not --wait"),
    ],
)
def test_retry_is_told_one_directive_or_all_that_were_voided(
    live: Remit, words: tuple[str, ...], more: str
) -> None:
    line = f"remit: name one directive, or say --voided{more}\n"
    assert live("retry", *words) == Shown(2, "", line)


def test_approve_shows_the_action_and_votes_on_what_it_showed(live: Remit) -> None:
    identifier = proposed(live, scope="staging", payload='{"text": "\\u001b[31m"}')
    shown = live("approve", identifier, "--as", "bob", "--reason", "fine")
    digest = json.loads(live("show", identifier, "--json").out)["directive"]["action_digest"]
    assert shown.code == 0
    expected = golden("approve", "an action and the vote on it", digest=digest, module=ECHO)
    assert expected == without_ids(shown.out)
    watched = live("watch", identifier)
    assert watched.code == 0
    assert without_ids(watched.out).splitlines()[-1] == f"{TIME}  {ID}  complete  echo in staging"
    late = live("approve", identifier, "--as", "carol")
    line = f"remit: directive {identifier} does not wait for a vote: it is complete\n"
    assert late == Shown(2, "", line)


def test_a_rejected_directive_is_blocked_and_may_be_retried(live: Remit) -> None:
    identifier = proposed(live, scope="staging")
    shown = live("reject", identifier, "--as", "bob", "--reason", "not now", "--json")
    found = json.loads(shown.out)
    assert (shown.code, found["outcome"]) == (0, "rejected")
    assert found["vote"]["action_digest"] == found["directive"]["action_digest"]
    refused = live("submit", identifier)
    line = f"remit: directive {identifier} is blocked: use `remit retry` for it\n"
    assert refused == Shown(2, "", line)
    again = live("retry", identifier, "--json")
    assert (again.code, json.loads(again.out)["decision"]["verdict"]) == (0, "require_approval")


def test_cancel_says_where_it_leaves_the_directive(live: Remit) -> None:
    identifier = proposed(live, scope="staging")
    shown = live("cancel", identifier, "--reason", "changed my mind")
    assert shown.code == 0
    assert shown.out.startswith(f"directive {identifier}  blocked (canceled)\n")
    assert live("cancel", identifier).code == 2
    assert live("watch", identifier).code == 1, "it did not complete"


def test_show_tells_the_loop_box_by_box(live: Remit) -> None:
    identifier = proposed(live)
    assert live("watch", identifier).code == 0
    shown = live("show", identifier[:13])
    digest = json.loads(live("show", identifier, "--json").out)["directive"]["action_digest"]
    expected = golden("show", "a complete directive", digest=digest, module=ECHO)
    assert expected == without_sizes(shown.out)


def test_show_tells_which_boxes_were_not_reached(live: Remit) -> None:
    shown = live(*propose_arguments(scope="moon"), "--json")
    identifier = json.loads(shown.out)["outcomes"][0]["directive"]["id"]
    text = without_sizes(live("show", identifier).out)
    digest = json.loads(live("show", identifier, "--json").out)["directive"]["action_digest"]
    assert golden("show", "a blocked directive", digest=digest) == text


def test_a_changed_log_is_told_and_is_exit_code_1(live: Remit, engine: sa.Engine) -> None:
    identifier = proposed(live, scope="staging")
    forge = "UPDATE events SET actor = 'mallory' WHERE directive_id = :id AND seq = 2"
    write(engine, forge, id=identifier)
    shown = live("show", identifier)
    assert shown.code == 1
    assert "the chain of 3 events is BROKEN at event 2" in shown.out
    chain = json.loads(live("show", identifier, "--json").out)["chain"]
    assert chain == {"verifies": False, "broken_at": 2}


def test_list_filters_and_keeps_ids_whole(live: Remit) -> None:
    wide = "an objective that is wide: " + "x" * 200 + "\u202e"
    identifier = proposed(live, **{"as": "planner"}, objective=wide, scope="development")
    live("watch", identifier)
    shown = live("list", "--issued-by", "planner", "--scope", "development", "--type", "echo")
    assert golden("list", "ids and objectives are whole") == without_ids(shown.out)
    found = json.loads(live("list", "--issued-by", "planner", "--json").out)["directives"]
    assert [each["id"] for each in found] == [identifier]
    assert live("list", "--status", "aborted") == Shown(0, "", "no directives\n")


def test_watch_as_json_is_a_document_a_line(live: Remit) -> None:
    identifier = proposed(live)
    shown = live("watch", identifier, "--json")
    last = json.loads(shown.out.splitlines()[-1])
    assert (shown.code, last["directive"]["status"]) == (0, "complete")


def test_db_upgrade_says_the_revision(live: Remit) -> None:
    shown = live("db", "upgrade")
    assert (shown.code, shown.err) == (0, "")
    found = json.loads(live("db", "upgrade", "--json").out)
    assert shown.out == f"the schema is at revision {found['revision']}\n"
    assert found["admin_token"] is None


def test_a_worker_refuses_a_module_that_cannot_be_loaded(
    live: Remit, services: Mapping[str, str]
) -> None:
    shown = live("worker", "--module", "nowhere:Nothing")
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert shown.err == (
        "remit: module nowhere:Nothing cannot be loaded: ModuleNotFoundError: No module named "
        "'nowhere' (is its folder in PYTHONPATH?); mend it, or remove it from the worker\n"
    )
