"""What holds for every evaluation provider, whichever the settings choose, guarded or not."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest
from pydantic import SecretStr

from remit.evaluation.braintrust import BraintrustEvaluationProvider
from remit.evaluation.guarded import GuardedEvaluation
from remit.evaluation.interface import EvaluatedArtifact, EvaluationProvider, NoOpEvaluationProvider
from tests.support.braintrust_server import EXPERIMENT_ID, PROJECT_PATH, BraintrustServer, serving
from tests.support.evaluations import RUN_ID, ended_run

KEY = "sk-canary-7f3a9d0123456789abcdef"
CANARY = "ghp_" + "c" * 36


@dataclass(frozen=True)
class Case:
    """A provider under test.

    Attributes:
        make: builds one, given the service.
        tells: whether it tells anybody.
    """

    make: Callable[[BraintrustServer], EvaluationProvider]
    tells: bool = True


def _braintrust(server: BraintrustServer) -> BraintrustEvaluationProvider:
    return BraintrustEvaluationProvider(
        api_key=SecretStr(KEY), project="remit", api_url=server.url, timeout_seconds=20
    )


CASES = {
    "noop": Case(lambda _: NoOpEvaluationProvider(), tells=False),
    "braintrust": Case(_braintrust),
    "noop guarded": Case(lambda _: GuardedEvaluation(NoOpEvaluationProvider()), tells=False),
    "braintrust guarded": Case(lambda server: GuardedEvaluation(_braintrust(server))),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def server() -> Iterator[BraintrustServer]:
    with serving() as running:
        yield running


@pytest.fixture
def provider(case: Case, server: BraintrustServer) -> EvaluationProvider:
    return case.make(server)


def settled(provider: EvaluationProvider) -> None:
    """Wait until everything is told that was handed to it."""
    if isinstance(provider, GuardedEvaluation):
        provider.close(30)
        assert provider.counts().dropped == provider.counts().failed == 0


def test_a_run_is_told_of_or_nobody_is_told_anything(
    case: Case, provider: EvaluationProvider, server: BraintrustServer
) -> None:
    provider.log_trace(ended_run())
    settled(provider)
    assert set(server.logs) == ({str(RUN_ID)} if case.tells else set())
    assert bool(server.asked) == case.tells


def test_telling_of_a_run_again_replaces_it(
    case: Case, provider: EvaluationProvider, server: BraintrustServer
) -> None:
    for attempts in (1, 2):
        provider.log_trace(ended_run(attempts=attempts))
    settled(provider)
    kept = [row["metrics"]["attempts"] for row in server.logs.values()]
    assert kept == ([2] if case.tells else [])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"completed": 1.0, "first_attempt": 1.0}),
        ({"attempts": 3}, {"completed": 1.0, "first_attempt": 0.0}),
        ({"run_status": "failed"}, {"completed": 0.0}),
        ({"run_status": "canceled", "attempts": 0}, {"completed": 0.0}),
    ],
    ids=["at once", "after retries", "failed", "canceled"],
)
def test_scores_are_sent_and_returned(
    case: Case,
    provider: EvaluationProvider,
    server: BraintrustServer,
    changes: dict[str, object],
    expected: dict[str, float],
) -> None:
    told = ended_run(**changes)
    scores = {result.name: result.score for result in provider.score(told)}
    assert scores == (expected if case.tells else {})
    assert [row["scores"] for row in server.logs.values()] == ([expected] if case.tells else [])


def test_an_experiment_lays_runs_side_by_side(
    case: Case, provider: EvaluationProvider, server: BraintrustServer
) -> None:
    inputs = [ended_run(run_id=uuid4()) for _ in range(205)]
    known_under = provider.experiment("before the change", inputs)
    assert known_under == (EXPERIMENT_ID if case.tells else None)
    assert list(server.rows) == ([str(i.run_id) for i in inputs] if case.tells else [])


def test_an_experiment_without_a_run_is_none(
    provider: EvaluationProvider, server: BraintrustServer
) -> None:
    assert provider.experiment("empty", []) is None
    assert server.asked == []


def test_no_secret_leaves_in_any_field(
    case: Case, provider: EvaluationProvider, server: BraintrustServer
) -> None:
    secret = f"{'x' * 180} {CANARY}"  # a cut before the redaction would leave half of it
    told = ended_run(
        type=secret,
        role=secret,
        status=secret,
        module=secret,
        run_status=secret,
        artifacts=(EvaluatedArtifact(secret, secret),) * 3,
    )
    provider.log_trace(told)
    provider.score(told)
    provider.experiment(secret, [told])
    settled(provider)
    assert "ghp_" not in server.everything()
    assert KEY not in server.everything()
    assert ("[redacted]" in server.everything()) == case.tells


def test_numbers_that_json_cannot_hold_are_left_out(
    provider: EvaluationProvider, server: BraintrustServer
) -> None:
    for seconds in (float("nan"), float("inf"), None):
        provider.log_trace(ended_run(run_id=uuid4(), duration_seconds=seconds))
    settled(provider)
    for asked in server.asked:
        assert "duration_seconds" not in json.dumps(asked.body, allow_nan=False)


def test_whoever_can_be_told_is_found_to_be_so(case: Case, server: BraintrustServer) -> None:
    provider = case.make(server)
    if isinstance(provider, NoOpEvaluationProvider | BraintrustEvaluationProvider):
        provider.check()
        assert server.paths() == ([PROJECT_PATH] if case.tells else [])
        provider.log_trace(ended_run())
        assert set(server.logs) == ({str(RUN_ID)} if case.tells else set())


def test_the_input_is_left_as_it_was(provider: EvaluationProvider) -> None:
    told = ended_run(duration_seconds=-1.0, attempts=-1, type="two\nlines")
    provider.log_trace(told)
    provider.score(told)
    settled(provider)
    assert told == ended_run(duration_seconds=-1.0, attempts=-1, type="two\nlines")


def test_threads_may_share_it(
    case: Case, provider: EvaluationProvider, server: BraintrustServer
) -> None:
    inputs = [ended_run(run_id=uuid4()) for _ in range(40)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(provider.log_trace, inputs))
    settled(provider)
    assert set(server.logs) == ({str(each.run_id) for each in inputs} if case.tells else set())


def test_its_name_is_one_of_the_settings_words(provider: EvaluationProvider) -> None:
    assert provider.name in {"noop", "braintrust"}


def test_it_does_not_show_its_key(provider: EvaluationProvider) -> None:
    assert KEY not in f"{provider!r} {provider}"
