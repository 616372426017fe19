"""`remit evaluation`: people tell of ended runs themselves, and are told what fails."""

import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from remit.execution.modules.types import ModuleOutput
from tests.cli.conftest import Remit, Shown
from tests.cli.test_terminal import on_a_terminal
from tests.integration.operations.lives import canceled_run, ran
from tests.support.braintrust_server import (
    EXPERIMENT_ID,
    EXPERIMENT_PATH,
    PROJECT_PATH,
    BraintrustServer,
    serving,
)
from tests.support.contents import proposed
from tests.support.embedding_server import Reply
from tests.support.golden import golden

KEY = "bt-key-canary-0123456789"
NOBODY = "nobody is told of ended runs: EVALUATION_PROVIDER chooses no provider"
UNKNOWN = 'EVALUATION_PROVIDER is "braintrsut": set it to noop or braintrust'
NO_KEY = (
    "no key for the evaluation service: set BRAINTRUST_API_KEY, or set EVALUATION_PROVIDER to noop"
)
CHOICES = {
    "EVALUATION_PROVIDER": "",
    "BRAINTRUST_API_KEY": "",
    "BRAINTRUST_API_URL": "",
    "BRAINTRUST_PROJECT": "",
}


@pytest.fixture
def server() -> Iterator[BraintrustServer]:
    with serving() as running:
        yield running


@pytest.fixture
def alone(keeper: Remit, monkeypatch: pytest.MonkeyPatch) -> Remit:
    """Return `remit evaluation` where nobody has chosen a provider."""
    for name in CHOICES:
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments, **options: keeper("evaluation", *arguments, **options)


@pytest.fixture
def evaluation(alone: Remit, server: BraintrustServer, monkeypatch: pytest.MonkeyPatch) -> Remit:
    """Return `remit evaluation` with Braintrust's service on this machine."""
    monkeypatch.setenv("EVALUATION_PROVIDER", "braintrust")
    monkeypatch.setenv("BRAINTRUST_API_KEY", KEY)
    monkeypatch.setenv("BRAINTRUST_API_URL", server.url)
    return alone


def test_who_can_be_told_is_said(evaluation: Remit, server: BraintrustServer) -> None:
    assert evaluation("status") == Shown(0, "braintrust can be told of ended runs\n", "")
    assert server.paths() == [PROJECT_PATH]
    shown = evaluation("status", "--json")
    assert json.loads(shown.out) == {"provider": "braintrust", "tells": True, "problem": None}
    assert (shown.code, shown.err) == (0, "")


def test_that_nobody_is_told_is_no_fault(alone: Remit) -> None:
    assert alone("status") == Shown(0, f"{NOBODY}\n", "")
    shown = alone("status", "--json")
    assert json.loads(shown.out) == {"provider": "noop", "tells": False, "problem": None}


@pytest.mark.parametrize(
    ("chosen", "message"), [("braintrsut", UNKNOWN), ("braintrust", NO_KEY)], ids=["word", "key"]
)
def test_a_choice_that_cannot_be_told_is_said_with_its_remedy(
    alone: Remit, monkeypatch: pytest.MonkeyPatch, chosen: str, message: str
) -> None:
    monkeypatch.setenv("EVALUATION_PROVIDER", chosen)
    assert alone("status") == Shown(1, f"{chosen} cannot be told of ended runs: {message}\n", "")
    shown = alone("status", "--json")
    problem = {"reason": "misconfigured", "message": message}
    assert json.loads(shown.out) == {"provider": chosen, "tells": False, "problem": problem}
    assert shown.code == 1
    for command in (("tell", "0000"), ("experiment", "x")):
        assert alone(*command) == Shown(2, "", f"remit: {message}\n")


def test_a_service_that_refuses_the_key_is_said(
    evaluation: Remit, server: BraintrustServer
) -> None:
    server.replies.append(Reply(401, b"upstream"))
    shown = evaluation("status", "--json")
    problem = json.loads(shown.out)["problem"]
    assert (shown.code, problem["reason"]) == (1, "misconfigured")
    assert "upstream" not in shown.out
    assert KEY not in shown.out


@pytest.mark.parametrize("command", [("tell", "0000"), ("experiment", "x")], ids=["tell", "lay"])
def test_where_nobody_is_chosen_it_is_refused_with_its_remedy(
    alone: Remit, command: tuple[str, str]
) -> None:
    assert alone(*command) == Shown(2, "", f"remit: {NOBODY}; set it to braintrust\n")
    error = json.loads(alone(*command, "--json").err)["error"]
    assert error["type"] == "misconfigured"


def test_an_ended_run_is_told_with_its_judgements_and_nothing_of_what_it_did(
    evaluation: Remit, server: BraintrustServer, kept_in: sa.Engine
) -> None:
    found = proposed(kept_in, payload={"say": "in-the-payload"}, objective="in-the-objective")
    ran(kept_in, found, ModuleOutput.success({"said": "in-the-result"}))
    server.given = {"tone": 0.25, "reviewed": None}
    shown = evaluation("tell", str(found.id))
    [run_id] = server.logs
    assert (shown.code, shown.err) == (0, "")
    assert golden("evaluation-tell", "the judgements of a run", id=run_id) == shown.out
    assert server.logs[run_id]["metadata"] == {"directive_id": str(found.id), "module": "echo"}
    told = server.everything()
    assert [word for word in ("in-the-", "Say hello", "agent-1", KEY) if word in told] == []


def test_a_run_that_was_canceled_is_told_as_such_and_for_a_program(
    evaluation: Remit, server: BraintrustServer, kept_in: sa.Engine
) -> None:
    found = canceled_run(kept_in)
    shown = evaluation("tell", str(found.id)[:8], "--json")
    told = json.loads(shown.out)
    [run_id] = server.logs
    assert told["provider"] == "braintrust"
    assert told["results"] == [{"name": "completed", "score": 0.0, "metadata": {"by": "remit"}}]
    assert (told["run"]["run_id"], told["run"]["run_status"]) == (run_id, "canceled")
    assert "payload" not in shown.out
    again = evaluation("tell", str(found.id), "--json")
    assert json.loads(again.out) == told
    assert list(server.logs) == [run_id]


def test_what_has_not_ended_or_is_unknown_is_not_told(
    evaluation: Remit, server: BraintrustServer, kept_in: sa.Engine
) -> None:
    found = proposed(kept_in)
    assert evaluation("tell", str(found.id)) == Shown(
        2,
        "",
        f"remit: directive {found.id} is approved: no run of it has ended, so there is none to "
        "tell of\n",
    )
    for wrong, word in (("zzzz", "not an identifier"), ("00000000", "no directive begins with")):
        shown = evaluation("tell", wrong)
        assert (shown.code, shown.out) == (2, "")
        assert word in shown.err
    assert server.asked == []


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(401, b"upstream"), "does not accept the key: check BRAINTRUST_API_KEY"),
        (Reply(429, b"upstream"), "(HTTP 429)"),
        (Reply(500, b"upstream"), "(HTTP 500)"),
        (Reply(200, b"<html>upstream</html>"), "answered no JSON: check BRAINTRUST_API_URL"),
    ],
    ids=["key", "rate", "down", "nonsense"],
)
@pytest.mark.parametrize("command", ["tell", "experiment"])
def test_what_fails_is_told_in_one_line(
    evaluation: Remit,
    server: BraintrustServer,
    kept_in: sa.Engine,
    command: str,
    reply: Reply,
    reason: str,
) -> None:
    found = ran(kept_in, proposed(kept_in))
    server.replies.append(reply)
    shown = evaluation(command, str(found.id) if command == "tell" else "nightly")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("remit: ")
    assert shown.err.count("\n") == 1
    for hidden in ("upstream", KEY):
        assert hidden not in shown.err
    assert reason in shown.err


def test_ended_runs_are_laid_side_by_side(
    evaluation: Remit, server: BraintrustServer, kept_in: sa.Engine
) -> None:
    for role in ("painter", "painter", "plumber"):
        ran(kept_in, proposed(kept_in, role=role))
    canceled_run(kept_in)
    shown = evaluation("experiment", "before the change")
    assert shown == Shown(0, f"experiment {EXPERIMENT_ID} at braintrust: 4 runs\n", "")
    assert server.asked[1].path == EXPERIMENT_PATH
    assert server.asked[1].body["name"] == "before the change"
    assert len(server.rows) == 4
    server.rows.clear()
    shown = evaluation(
        "experiment", "x", "--role", "painter", "--type", "echo", "--limit", "1", "--json"
    )
    assert json.loads(shown.out) == {
        "provider": "braintrust",
        "name": "x",
        "experiment": EXPERIMENT_ID,
        "runs": 1,
    }
    assert [row["input"]["role"] for row in server.rows.values()] == ["painter"]
    assert evaluation("experiment", "x", "--limit", "1").out.endswith(": 1 run\n")


@pytest.mark.parametrize("option", [("--role", "nobody"), ("--type", "none")], ids=["role", "type"])
def test_where_no_run_fits_there_is_no_experiment(
    evaluation: Remit, server: BraintrustServer, kept_in: sa.Engine, option: tuple[str, str]
) -> None:
    ran(kept_in, proposed(kept_in))
    shown = evaluation("experiment", "x", *option)
    assert shown == Shown(1, "", "no ended runs to lay side by side\n")
    shown = evaluation("experiment", "x", *option, "--json")
    assert (shown.code, json.loads(shown.out)["experiment"]) == (1, None)
    assert server.asked == []


@pytest.mark.parametrize(
    "name",
    ["", " ", "two\nlines", "x" * 201, "sk-" + "a1B2" * 8, "\x1b[31m"],
    ids=["empty", "blank", "lines", "long", "secret", "escape"],
)
def test_a_name_that_would_not_arrive_as_it_is_written_is_refused(
    evaluation: Remit, server: BraintrustServer, name: str
) -> None:
    shown = evaluation("experiment", name)
    message = "must be 1 to 200 printable characters on one line, with no secret"
    assert shown == Shown(2, "", f"remit: NAME: {message}\n")
    assert server.asked == []


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_a_limit_that_is_none_is_refused(evaluation: Remit, limit: str) -> None:
    shown = evaluation("experiment", "x", "--limit", limit)
    assert (shown.code, shown.out) == (2, "")
    assert "--limit" in shown.err


def test_a_terminal_shows_who_is_asked_and_then_the_answer(
    evaluation: Remit, server: BraintrustServer
) -> None:
    chosen = {"EVALUATION_PROVIDER": "braintrust", "BRAINTRUST_API_KEY": KEY}
    code, shown = on_a_terminal("", "evaluation", "status", **chosen, BRAINTRUST_API_URL=server.url)
    assert (code, "asking braintrust" in shown) == (0, True)
    assert "can be told of ended runs" in shown
