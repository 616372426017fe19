"""Whatever a provider does, whoever tells it of a run goes on as if it were not there."""

import dataclasses
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
from pydantic import JsonValue

from remit.base.json_types import JsonObject
from remit.errors import ProviderError
from remit.evaluation.checks import MAX_METADATA_CHARACTERS, checked_results
from remit.evaluation.guarded import CallFailedError, Told, run_bounded
from remit.evaluation.interface import EvaluationInput, EvaluationResult, failed
from tests.support.evaluations import Misbehaving, ended_run, guarded

CANARY = "ghp_" + "c" * 36


class OwnExit(BaseException):
    """An error that no `except Exception` catches."""


class IndescribableError(Exception):
    """An error that cannot be looked at."""

    def __str__(self) -> str:
        """Leave."""
        raise SystemExit(3)

    __repr__ = __str__


class IndescribableProviderError(ProviderError):
    """An error of Remit's own kind whose message raises."""

    def __getattribute__(self, name: str) -> Any:
        """Leave."""
        raise SystemExit(name)


def _raise(error: BaseException) -> Callable[[EvaluationInput], Any]:
    def act(told: EvaluationInput) -> Any:
        raise error

    return act


def _deep() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(5000):
        inner = {"a": inner}
    return inner


def _circular() -> dict[str, Any]:
    whole: dict[str, Any] = {}
    whole["whole"] = whole
    return whole


def _forged(**fields: Any) -> EvaluationResult:
    """Return a result that never passed its own check."""
    result = object.__new__(EvaluationResult)
    for name, value in fields.items():
        object.__setattr__(result, name, value)
    return result


RAISED: dict[str, Callable[[], BaseException]] = {
    "an error": lambda: ValueError("no"),
    "an error of its own kind": lambda: failed("rate_limited", "later"),
    "an exit": lambda: SystemExit(3),
    "an interrupt": KeyboardInterrupt,
    "the end of a generator": GeneratorExit,
    "its own exit": OwnExit,
    "no memory": MemoryError,
    "no end": RecursionError,
    "a timeout": TimeoutError,
    "a stop": StopIteration,
    "an indescribable error": IndescribableError,
    "an indescribable error of ours": lambda: IndescribableProviderError("no", reason="x"),
    "a group": lambda: BaseExceptionGroup("many", [SystemExit(1), ValueError()]),
}

GOOD: dict[str, Any] = {"name": "tone", "score": 0.5, "metadata": {}}

_FIELDS: dict[str, dict[str, Any]] = {
    "NaN": {"score": float("nan")},
    "infinity": {"score": float("inf")},
    "below": {"score": -0.01},
    "above": {"score": 1.01},
    "enormous": {"score": 10**400},
    "a flag": {"score": True},
    "text for a score": {"score": "0.5"},
    "no name": {"name": ""},
    "a long name": {"name": "a" * 101},
    "bytes for a name": {"name": b"tone"},
    "huge metadata": {"metadata": {"a": "b" * 10_000_000}},
    "deep metadata": {"metadata": _deep()},
    "circular metadata": {"metadata": _circular()},
    "NaN in metadata": {"metadata": {"a": float("nan")}},
    "objects in metadata": {"metadata": {"a": object()}},
    "a list for metadata": {"metadata": [1]},
}

LIES: dict[str, Any] = {
    "None": None,
    "a list": [EvaluationResult("tone", 0.5)],
    "an endless generator": (EvaluationResult("tone") for _ in iter(int, 1)),
    "something else in it": ("tone",),
    "too many": (EvaluationResult("tone"),) * 101,
    "a class": EvaluationResult,
    "nothing in it": (_forged(),),
    "no metadata": (_forged(name="tone", score=0.5),),
    **{what: (_forged(**{**GOOD, **changes}),) for what, changes in _FIELDS.items()},
}


@pytest.mark.parametrize("make", RAISED.values(), ids=RAISED)
def test_nothing_that_a_provider_raises_passes(
    make: Callable[[], BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    guard = guarded(Misbehaving(_raise(make())))
    guard.observe(ended_run())
    guard.log_trace(ended_run())
    assert guard.score(ended_run()) == ()
    assert guard.experiment("nightly", [ended_run()]) is None
    guard.close(30)
    assert guard.counts() == Told(told=0, failed=4, dropped=0)
    assert [record.message for record in caplog.records] == ["evaluation_failed"] * 4


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_is_no_answer(lie: Any, caplog: pytest.LogCaptureFixture) -> None:
    guard = guarded(Misbehaving(lambda _: lie))
    assert guard.score(ended_run()) == ()
    guard.observe(ended_run())
    guard.close(30)
    assert guard.counts() == Told(told=0, failed=2, dropped=0)
    assert [record.message for record in caplog.records] == ["evaluation_failed"] * 2


class Long(list[JsonValue]):
    """A list that is longer than it says, and counts what is asked of it."""

    given = 0

    def __iter__(self) -> Iterator[JsonValue]:
        """Yield more than anybody should ask for."""
        for self.given in range(1, 100_001):
            yield 0


def test_metadata_that_is_too_large_is_not_even_written_out() -> None:
    long = Long([0])
    with pytest.raises(ValueError, match="more than 4096 characters"):
        checked_results((EvaluationResult("tone", 0.5, {"a": long}),))
    assert 0 < long.given < MAX_METADATA_CHARACTERS


@pytest.mark.parametrize("lie", [7, b"id", "", "a" * 201, ["id"]])
def test_an_experiment_known_under_nonsense_is_none(lie: Any) -> None:
    guard = guarded(Misbehaving(lambda _: lie))
    assert guard.experiment("nightly", [ended_run()]) is None
    assert guard.counts().failed == 1


def test_a_good_answer_is_handed_on_without_its_secrets() -> None:
    shared: JsonObject = {"why": [f"token {CANARY}"], "password": "hunter2"}
    result = EvaluationResult(f"tone {CANARY}", 1, shared)
    unjudged = EvaluationResult("reviewed")
    copy, other = guarded(Misbehaving(lambda _: (result, unjudged))).score(ended_run())
    assert other == unjudged
    assert copy == EvaluationResult(
        "tone [redacted]", 1.0, {"why": ["token [redacted]"], "password": "[redacted]"}
    )
    assert type(copy.score) is float
    assert copy.metadata is not shared
    assert guarded(Misbehaving(lambda _: f"id {CANARY}")).experiment("n", [ended_run()]) == (
        "id [redacted]"
    )


def test_what_a_provider_does_to_its_input_reaches_nobody() -> None:
    def spoil(told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        for name in [each.name for each in dataclasses.fields(told)]:
            object.__setattr__(told, name, None)
        return ()

    provider, told = Misbehaving(spoil), ended_run()
    guard = guarded(provider)
    guard.observe(told)
    guard.close(30)
    assert guard.score(told) == ()
    assert guard.counts() == Told(told=1)
    assert told == ended_run()
    assert [each is told for each in provider.asked] == [False] * 3


def test_no_provider_is_told_a_secret() -> None:
    provider = Misbehaving(lambda _: ())
    guarded(provider).score(ended_run(type=f"deploy {CANARY}", module=f"{'x' * 180} {CANARY}"))
    [told] = provider.asked
    assert told.type == "deploy [redacted]"
    assert told.module == f"{'x' * 180} [redacted]"


def test_a_log_that_raises_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(record: logging.LogRecord) -> bool:
        raise ValueError("no log today")

    log = logging.getLogger("remit.evaluation.guarded")
    log.addFilter(refuse)
    try:
        guard = guarded(Misbehaving(_raise(ValueError())))
        guard.observe(ended_run())
        assert guard.score(ended_run()) == ()
        guard.close(30)
        assert guard.counts() == Told(failed=2)
    finally:
        log.removeFilter(refuse)


@pytest.mark.parametrize("name", [7, None, CANARY], ids=["number", "none", "secret"])
def test_a_provider_may_even_lie_about_its_name(name: Any) -> None:
    provider = Misbehaving(lambda _: ())
    provider.name = name
    guard = guarded(provider)
    assert guard.name == ("[redacted]" if name == CANARY else "unnamed")


def test_a_failure_of_our_own_kind_is_logged_with_its_message_and_without_secrets() -> None:
    def call(error: Exception) -> None:
        run_bounded(lambda: _raise(error)(ended_run()), Semaphore(1), timeout_seconds=20)

    with pytest.raises(CallFailedError) as refusal:
        call(failed("timeout", f"later\n{CANARY}"))
    assert refusal.value.detail == "EvaluationProviderError: later [redacted]"
    with pytest.raises(CallFailedError) as refusal:
        call(ValueError(CANARY))
    assert (refusal.value.fault, refusal.value.detail) == ("raised", "ValueError")


def test_the_process_is_left_as_it_was() -> None:
    before = (sys.getrecursionlimit(), Path.cwd(), logging.getLogger().level, sys.excepthook)
    guard = guarded(Misbehaving(_raise(SystemExit(1))))
    guard.observe(ended_run())
    guard.close(30)
    after = (sys.getrecursionlimit(), Path.cwd(), logging.getLogger().level, sys.excepthook)
    assert after == before
