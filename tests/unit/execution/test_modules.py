"""The modules that come with Remit, and how any module is called safely."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from remit.errors import UnavailableError
from remit.execution.modules.registry import ModuleRegistry, discover_modules
from remit.execution.modules.types import ModuleError, ModuleOutput
from remit.telemetry.state import LOG_FIELDS
from remit.vocabulary import ModuleStatus
from tests.support.modules import Does, Recorder, asking

ENGINE: Any = None
KNOWN = "there are: echo, fail_intentionally and noop"


class UnprintableError(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        """Raise."""
        raise RuntimeError


class UnprintableBaseError(BaseException):
    """Ends whoever asks what it is."""

    def __str__(self) -> str:
        """Raise."""
        raise SystemExit


def call(module: str, registry: ModuleRegistry | None = None, **payload: Any) -> ModuleOutput:
    """Dispatch to a module by name."""
    return (registry or discover_modules(installed=())).dispatch_module(
        asking(module, payload), ENGINE, Recorder()
    )


def doing(act: Any) -> ModuleOutput:
    """Dispatch to a module that does `act`."""
    registry = ModuleRegistry()
    registry.register_module(Does(act))
    return call("does", registry)


def raising(error: BaseException) -> Any:
    """Return a function that raises."""

    def act() -> None:
        raise error

    return act


def test_noop_leaves_its_artifact_and_succeeds() -> None:
    recorder = Recorder()
    registry = discover_modules(installed=())
    output = registry.dispatch_module(asking("noop", {"a": 1}), ENGINE, recorder)
    assert output == ModuleOutput.success()
    assert recorder.emitted == [("module_output", {"module": "noop", "scope": "test"})]


def test_echo_gives_its_payload_back_as_result_and_artifact() -> None:
    recorder = Recorder()
    payload: dict[str, Any] = {"a": [1, {"b": None}]}
    registry = discover_modules(installed=())
    output = registry.dispatch_module(asking("echo", payload), ENGINE, recorder)
    assert output == ModuleOutput.success({"echo": payload})
    assert recorder.emitted == [("module_output", {"module": "echo", "echo": payload})]


@pytest.mark.parametrize(
    ("payload", "status", "error_type", "message"),
    [
        ({}, "failure", "module_failed", "failed on purpose"),
        ({"mode": "failure", "message": "no"}, "failure", "module_failed", "no"),
        ({"mode": "raise"}, "error", "module_error", "IntentionalError: failed on purpose"),
        ({"mode": "raise", "message": "boom"}, "error", "module_error", "IntentionalError: boom"),
        ({"mode": "x"}, "error", "invalid_input", 'payload.mode: must be "failure" or "raise"'),
        ({"mode": []}, "error", "invalid_input", 'payload.mode: must be "failure" or "raise"'),
        ({"message": 1}, "error", "invalid_input", "payload.message: must be text"),
    ],
    ids=str,
)
def test_fail_intentionally_ends_as_its_payload_says(
    payload: dict[str, Any], status: str, error_type: Any, message: str
) -> None:
    output = call("fail_intentionally", **payload)
    assert output.status == status
    assert output.error == ModuleError(error_type, message)


def test_an_unknown_module_ends_as_an_error() -> None:
    output = call("shell")
    assert output.status is ModuleStatus.ERROR
    assert output.error == ModuleError("module_not_found", f'no module is named "shell"; {KNOWN}')


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (ValueError("two\nlines\0"), "ValueError: two lines\\x00"),
        (ValueError(), "ValueError"),
        (ValueError("x" * 9999), "ValueError: " + "x" * 488 + "..."),
        (UnprintableError(), "UnprintableError"),
        (SystemExit(3), "SystemExit: 3"),
        (RecursionError("deep"), "RecursionError: deep"),
        (asyncio.CancelledError("mine"), "CancelledError: mine"),
        (GeneratorExit(), "GeneratorExit"),
        (
            BaseExceptionGroup("two", [GeneratorExit(), ValueError()]),
            "BaseExceptionGroup: two (2 sub-exceptions)",
        ),
        (UnprintableBaseError(), "UnprintableBaseError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_exception_ends_as_an_error_in_one_line(error: BaseException, message: str) -> None:
    output = doing(raising(error))
    assert output.status is ModuleStatus.ERROR
    assert output.error == ModuleError("module_error", message)


def test_a_service_that_was_away_ends_as_an_error_that_may_be_retried() -> None:
    output = doing(raising(UnavailableError("the store is away")))
    assert output.error == ModuleError(
        "module_error", "UnavailableError: the store is away", retryable=True
    )


def test_what_ends_the_process_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        doing(raising(KeyboardInterrupt()))


def test_a_keyboard_interrupt_in_a_thread_is_the_modules_own() -> None:
    with ThreadPoolExecutor(1) as threads:
        output = threads.submit(doing, raising(KeyboardInterrupt("mine"))).result()
    assert output.error == ModuleError("module_error", "KeyboardInterrupt: mine")


def test_the_traceback_of_what_a_module_raised_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    doing(raising(ValueError("bad")))
    [line] = caplog.records
    assert line.getMessage() == "module_raised"
    asked = asking("does", {})
    assert getattr(line, LOG_FIELDS) == {
        "directive_id": asked.directive_id,
        "module": "does",
        "attempt": asked.attempt,
    }
    assert line.exc_text is not None
    assert "in act" in line.exc_text
    assert line.exc_text.endswith("ValueError: bad")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "the module returned NoneType, not ModuleOutput: mend the module"),
        ({"ok": 1}, "the module returned dict, not ModuleOutput: mend the module"),
    ],
    ids=repr,
)
def test_a_return_of_another_type_ends_as_an_error(returned: Any, message: str) -> None:
    output = doing(lambda: returned)
    assert output.error == ModuleError("module_error", message)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            {"a": {"b": float("nan")}},
            (
                "the module's result.a.b cannot be stored: not a finite "
                "number: leave it out or send text"
            ),
        ),
        ({"a": "\0"}, "the module's result.a cannot be stored: holds a NUL byte: remove it"),
        (
            {1: 2},
            (
                "the module's result cannot be stored: has a key that is not text: use text for "
                "every key"
            ),
        ),
        ([1], "the module's result cannot be stored: not an object: return a dict or None"),
        ("x", "the module's result cannot be stored: not an object: return a dict or None"),
    ],
    ids=repr,
)
def test_a_result_that_cannot_be_stored_ends_as_an_error(result: Any, message: str) -> None:
    output = doing(lambda: ModuleOutput.success(result))
    assert output == ModuleOutput.error_(message)


def test_a_modules_own_message_becomes_one_bounded_line() -> None:
    output = doing(lambda: ModuleOutput.failure("two\nlines\0" + "x" * 999, result={"a": 1}))
    assert output.status is ModuleStatus.FAILURE
    assert output.result == {"a": 1}
    assert output.error is not None
    assert output.error.message.startswith("two lines\\x00xx")
    assert len(output.error.message) < 510


def test_an_error_of_another_type_ends_as_an_error() -> None:
    broken: Any = "broken"
    output = doing(lambda: ModuleOutput(ModuleStatus.ERROR, None, broken))
    assert output.error == ModuleError(
        "module_error", "AttributeError: 'str' object has no attribute 'message'"
    )
