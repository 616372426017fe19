"""A provider is asked again only when that may help, after waits that can be told beforehand."""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import repeat
from pathlib import Path

import pytest

from remit.cognition.embeddings.provider import EmbeddingProvider, EmbeddingProviderError
from remit.cognition.embeddings.retrying import RetryingEmbeddings
from remit.cognition.embeddings.types import (
    EmbeddingError,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
)
from remit.vocabulary import EmbeddingErrorType

VECTOR = (1.0,) * 1536
REQUEST = EmbeddingRequest(("a",))
ROOT = Path(__file__).resolve().parents[4]


class Flaky(EmbeddingProvider):
    """A provider that fails as scripted, and then embeds."""

    name = "flaky"
    model = "flaky@1536"

    def __init__(self, failures: Iterator[Exception]) -> None:
        self.failures = failures
        self.asked = 0

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        self.asked += 1
        for failure in self.failures:
            raise failure
        usage = EmbeddingUsage(None, Decimal(0), 1.0)
        return respond(request, (VECTOR,) * len(request.texts), model=self.model, usage=usage)

    def embed_single(self, text: str) -> tuple[float, ...]:
        raise AssertionError("one way of asking is enough")


def failed(
    error_type: EmbeddingErrorType = "provider_error",
    *,
    retryable: bool = True,
    after: float | None = None,
) -> EmbeddingProviderError:
    return EmbeddingProviderError(EmbeddingError(error_type, "no", retryable, after))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nobody wait; return the waits that were asked for, in seconds."""
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([], []),
        ([failed()], [0.5]),
        ([failed("timeout"), failed("rate_limited"), failed()], [0.5, 1, 2]),
        ([failed("rate_limited", after=7.0)], [7]),
        ([failed(), failed("rate_limited", after=30.0), failed()], [0.5, 30, 2]),
        ([failed("rate_limited", after=0.0)], [0.5]),
    ],
)
def test_the_waits_are_fixed_or_those_that_the_service_asks_for(
    waits: list[float], failures: list[Exception], expected: list[float]
) -> None:
    provider = RetryingEmbeddings(Flaky(iter(failures)))
    assert provider.embed(REQUEST).embeddings == (VECTOR,)
    assert waits == expected


def test_no_wait_is_longer_than_the_longest(waits: list[float]) -> None:
    flaky = Flaky(iter([failed() for _ in range(5)]))
    RetryingEmbeddings(flaky, attempts=6, wait_initial_seconds=1, wait_max_seconds=5).embed(REQUEST)
    assert waits == [1, 2, 4, 5, 5]


def test_after_the_last_attempt_its_error_is_raised(waits: list[float]) -> None:
    errors = [failed("timeout"), failed(), failed(), failed("rate_limited")]
    flaky = Flaky(iter([*errors, failed()]))
    with pytest.raises(EmbeddingProviderError) as refusal:
        RetryingEmbeddings(flaky).embed(REQUEST)
    assert refusal.value is errors[3]
    assert flaky.asked == 4
    assert waits == [0.5, 1, 2]


@pytest.mark.parametrize(
    "failure",
    [
        failed("disabled", retryable=False),
        failed("misconfigured", retryable=False),
        failed("invalid_request", retryable=False),
        failed("rate_limited", retryable=False),
        failed("rate_limited", after=30.1),
        ValueError("a defect"),
    ],
    ids=["disabled", "misconfigured", "invalid", "no credit", "asks for too long", "a defect"],
)
def test_where_another_attempt_cannot_help_there_is_none(
    waits: list[float], failure: Exception
) -> None:
    flaky = Flaky(repeat(failure))
    with pytest.raises(type(failure)) as refusal:
        RetryingEmbeddings(flaky).embed(REQUEST)
    assert refusal.value is failure
    assert (flaky.asked, waits) == (1, [])


def test_a_single_text_is_tried_again_alike(waits: list[float]) -> None:
    assert RetryingEmbeddings(Flaky(iter([failed()]))).embed_single("a") == VECTOR
    assert waits == [0.5]


def test_it_goes_by_the_names_of_the_provider_that_it_asks() -> None:
    provider = RetryingEmbeddings(Flaky(iter([])))
    assert (provider.name, provider.model) == ("flaky", "flaky@1536")


def test_really_waiting_takes_the_time_that_was_set() -> None:
    flaky = Flaky(iter([failed(), failed()]))
    RetryingEmbeddings(flaky, wait_initial_seconds=0.001, wait_max_seconds=0.01).embed(REQUEST)
    assert flaky.asked == 3


PROGRAM = """
import sys, stamina
import tests.unit.cognition.embeddings.test_retrying as test
from remit.cognition.embeddings.retrying import RetryingEmbeddings, silence_retry_log

if sys.argv[1] == "silenced":
    silence_retry_log()
else:
    stamina.instrumentation.set_on_retry_hooks([lambda details: print(details)])
flaky = test.Flaky(iter([test.failed()]))
RetryingEmbeddings(flaky, wait_initial_seconds=0.001).embed(test.REQUEST)
assert flaky.asked == 2
"""


def _printed(how: str) -> str:
    command = [sys.executable, "-c", PROGRAM, how]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout + run.stderr


def test_a_program_that_says_so_hears_nothing_of_retries() -> None:
    assert _printed("silenced") == ""


def test_a_program_with_hooks_of_its_own_keeps_them_and_they_see_no_text() -> None:
    printed = _printed("own hooks")
    assert "RetryDetails" in printed
    assert "EmbeddingRequest" not in printed
