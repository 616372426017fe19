"""What is sent to Braintrust, and what is made of its good answers; over real HTTP."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from remit.evaluation.braintrust import BraintrustEvaluationProvider
from remit.evaluation.interface import EvaluationProviderError, EvaluationResult
from tests.support.braintrust_server import (
    EXPERIMENT_ID,
    EXPERIMENT_PATH,
    LOGS_PATH,
    PROJECT_ID,
    PROJECT_PATH,
    QUERY_PATH,
    ROWS_PATH,
    BraintrustServer,
)
from tests.support.embedding_server import Reply
from tests.support.evaluations import ARTIFACT, DIRECTIVE_ID, RUN_ID, ended_run
from tests.support.sdk_variables import PROXIES
from tests.unit.evaluation.telling import KEY, failure, provider


def test_a_run_becomes_one_row_of_the_projects_log(server: BraintrustServer) -> None:
    provider(server).log_trace(ended_run())
    assert server.paths() == [PROJECT_PATH, LOGS_PATH]
    project, logs = server.asked
    assert project.body == {"name": "remit"}
    assert logs.headers["Authorization"] == f"Bearer {KEY}"
    assert logs.headers["Accept-Encoding"] == "identity"
    assert logs.body == {
        "events": [
            {
                "id": str(RUN_ID),
                "span_id": str(RUN_ID),
                "root_span_id": str(RUN_ID),
                "span_attributes": {"name": "deploy", "type": "task"},
                "input": {"type": "deploy", "role": "release-bot"},
                "output": {
                    "status": "complete",
                    "run_status": "completed",
                    "artifacts": [{"type": ARTIFACT.type, "digest": ARTIFACT.digest}],
                },
                "metadata": {
                    "directive_id": str(DIRECTIVE_ID),
                    "module": "shell",
                },
                "metrics": {"attempts": 1, "duration_seconds": 2.5},
            }
        ]
    }


def test_the_project_is_asked_for_once(server: BraintrustServer) -> None:
    telling = provider(server)
    for _ in range(3):
        telling.log_trace(ended_run())
    assert server.paths() == [PROJECT_PATH, *[LOGS_PATH] * 3]


def test_a_project_that_is_gone_is_asked_for_again(server: BraintrustServer) -> None:
    telling = provider(server)
    telling.log_trace(ended_run())
    server.replies.append(Reply(404, b"{}"))
    assert failure(telling).reason == "misconfigured"
    telling.log_trace(ended_run())
    assert server.paths() == [PROJECT_PATH, LOGS_PATH, LOGS_PATH, PROJECT_PATH, LOGS_PATH]


def test_scores_given_at_the_service_are_returned_with_those_that_were_sent(
    server: BraintrustServer,
) -> None:
    telling = provider(server)
    telling.log_trace(ended_run())
    server.given = {"tone": 0.25, "reviewed": None, "first_attempt": 0.5}
    assert telling.score(ended_run()) == (
        EvaluationResult("completed", 1.0, {"by": "remit"}),
        EvaluationResult("first_attempt", 0.5, {"by": "braintrust"}),
        EvaluationResult("tone", 0.25, {"by": "braintrust"}),
        EvaluationResult("reviewed", None, {"by": "braintrust"}),
    )
    assert server.paths()[-2:] == [LOGS_PATH, QUERY_PATH]
    row = server.logs[str(RUN_ID)]
    assert row["scores"] == {"completed": 1.0, "first_attempt": 1.0}
    assert row["input"] == {"type": "deploy", "role": "release-bot"}


def test_scores_that_are_not_to_be_seen_yet_are_those_that_were_sent(
    server: BraintrustServer,
) -> None:
    telling = provider(server)
    telling.log_trace(ended_run())
    server.replies += [Reply(body=b'{"row_ids": ["1"]}'), Reply(body=b'{"data": []}')]
    scores = {each.name: each.score for each in telling.score(ended_run())}
    assert scores == {"completed": 1.0, "first_attempt": 1.0}


def test_an_experiment_is_made_and_filled(server: BraintrustServer) -> None:
    assert provider(server).experiment("nightly", [ended_run()]) == EXPERIMENT_ID
    assert server.paths() == [PROJECT_PATH, EXPERIMENT_PATH, ROWS_PATH]
    assert server.asked[1].body == {"project_id": PROJECT_ID, "name": "nightly"}
    assert server.rows[str(RUN_ID)]["scores"] == {"completed": 1.0, "first_attempt": 1.0}


@pytest.mark.parametrize(
    ("changes", "scores"),
    [
        ({"attempts": 1}, {"completed": 1.0, "first_attempt": 1.0}),
        ({"attempts": 2}, {"completed": 1.0, "first_attempt": 0.0}),
        ({"run_status": "failed"}, {"completed": 0.0}),
        ({"run_status": "canceled", "attempts": 2}, {"completed": 0.0}),
    ],
    ids=str,
)
def test_the_facts_alone_score_a_run_by_its_end_and_by_its_attempts(
    server: BraintrustServer, changes: dict[str, Any], scores: dict[str, float]
) -> None:
    telling, run = provider(server), ended_run(**changes)
    telling.log_trace(run)
    assert {each.name: each.score for each in telling.score(run)} == scores
    assert server.logs[str(RUN_ID)]["scores"] == scores


def test_a_service_on_this_machine_needs_no_key(server: BraintrustServer) -> None:
    provider(server, key=None).log_trace(ended_run())
    assert server.asked[0].headers["Authorization"] == "Bearer none"


def test_nothing_but_the_settings_decides_where_it_goes_and_with_which_key(
    server: BraintrustServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n", encoding="utf-8")
    netrc.chmod(0o600)
    (tmp_path / ".env.braintrust").write_text("BRAINTRUST_API_KEY=other\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "NETRC": str(netrc),
        "BRAINTRUST_API_KEY": "other",
        "BRAINTRUST_API_URL": "http://127.0.0.1:9",
        "BRAINTRUST_APP_URL": "http://127.0.0.1:9",
        "BRAINTRUST_PROXY_URL": "http://127.0.0.1:9",
        "BRAINTRUST_ORG_NAME": "other",
        **PROXIES,
    }.items():
        monkeypatch.setenv(name, value)
    provider(server).log_trace(ended_run())
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert "other" not in server.everything()


def test_a_variable_of_the_sdk_that_holds_nonsense_is_told(
    server: BraintrustServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAINTRUST_HTTP_TIMEOUT", "-1")
    refusal = failure(provider(server))
    assert refusal.reason == "misconfigured"
    assert "BRAINTRUST_HTTP_TIMEOUT" in refusal.message


def test_without_the_sdk_the_error_names_the_package(
    server: BraintrustServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "remit.evaluation.braintrust_client", None)
    with pytest.raises(EvaluationProviderError) as refusal:
        provider(server).log_trace(ended_run())
    assert refusal.value.reason == "misconfigured"
    assert "`pip install braintrust`" in refusal.value.message


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"api_key": None}, "BRAINTRUST_API_KEY"),
        ({"api_key": SecretStr("two words")}, "BRAINTRUST_API_KEY"),
        ({"api_url": "http://example.com"}, "BRAINTRUST_API_URL"),
        ({"api_url": "https://a:upstream@example.com"}, "BRAINTRUST_API_URL"),
        ({"project": " "}, "BRAINTRUST_PROJECT"),
    ],
)
def test_a_wrong_setting_is_told_at_once(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(EvaluationProviderError) as refusal:
        BraintrustEvaluationProvider(**{"api_key": SecretStr(KEY), "project": "remit", **fields})
    assert refusal.value.reason == "misconfigured"
    assert named in refusal.value.message
    assert "upstream" not in str(refusal.value)


_ENDS = """
import sys, threading, time
from pydantic import SecretStr
from remit.evaluation.braintrust import BraintrustEvaluationProvider
from remit.evaluation.guarded import GuardedEvaluation
from tests.support.evaluations import ended_run
assert "braintrust" not in sys.modules
provider = BraintrustEvaluationProvider(
    api_key=SecretStr("k"), project="remit", api_url=sys.argv[1], timeout_seconds=500
)
guarded = GuardedEvaluation(provider, timeout_seconds=500)
guarded.observe(ended_run())
while "requests" not in sys.modules or not any(
    thread.name == "within-deadline" for thread in threading.enumerate()
):
    time.sleep(0.01)
print("ended", all(thread.daemon for thread in threading.enumerate()[1:]))
"""


def test_a_service_that_hangs_keeps_no_process_alive(server: BraintrustServer) -> None:
    server.usual = Reply(waits=True)
    run = subprocess.run(
        [sys.executable, "-c", _ENDS, server.url],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert run.stdout == "ended True\n"
    assert run.stderr == ""
