"""What may be asked of a language model, and what no `repr` shows."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import pytest

from remit.cognition.llm.types import (
    LLMError,
    LLMMessage,
    LLMRequest,
    LLMResponse,
    LLMUsage,
)
from remit.errors import InvalidInputError

TEXT = "a message nobody else may read"
ASKED = LLMMessage("user", "hello")
SAID = [{"role": "user", "content": "hello"}]
USAGE = LLMUsage(11, 5, 16, Decimal("0.0000001"))


def message(role: Any, content: Any = "hello") -> LLMMessage:
    return LLMMessage(role, content)


@pytest.mark.parametrize(
    ("role", "content", "field", "told"),
    [
        ("tool", "x", "role", "must be system, user or assistant"),
        ("", "x", "role", "must be system, user or assistant"),
        (None, "x", "role", "must be system, user or assistant"),
        ("user", "", "content", "is empty"),
        ("user", None, "content", "must be text"),
        ("user", b"x", "content", "must be text"),
        ("user", "a\0b", "content", "NUL"),
        ("user", "a\ud800b", "content", "surrogate"),
    ],
)
def test_a_message_has_a_role_and_a_text(role: Any, content: Any, field: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        message(role, content)
    assert refusal.value.field == field
    assert told in refusal.value.message


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"messages": ()}, "messages", "0 messages: give between 1 and 100"),
        ({"messages": (ASKED,) * 101}, "messages", "101 messages"),
        (
            {"messages": (message("user", "x" * 100_000), message("user", "x" * 100_001))},
            "messages",
            "200001 characters together: give at most 200000",
        ),
        ({"messages": (ASKED, message("assistant"))}, "messages", "the last must be of user"),
        ({"messages": (message("system"),)}, "messages", "the last must be of user"),
        ({"messages": (ASKED, message("system"), ASKED)}, "messages", "must come before"),
        ({"model": ""}, "model", "is no model's name"),
        ({"model": "a b"}, "model", "is no model's name"),
        ({"model": "x" * 81}, "model", "is no model's name"),
        ({"model": 7}, "model", "is no model's name"),
        ({"max_tokens": 0}, "max_tokens", "between 1 and 128000"),
        ({"max_tokens": 128_001}, "max_tokens", "between 1 and 128000"),
        ({"max_tokens": True}, "max_tokens", "between 1 and 128000"),
        ({"max_tokens": 1.0}, "max_tokens", "between 1 and 128000"),
        ({"temperature": -0.1}, "temperature", "between 0 and 2, or null"),
        ({"temperature": 2.1}, "temperature", "between 0 and 2, or null"),
        ({"temperature": float("nan")}, "temperature", "between 0 and 2, or null"),
        ({"temperature": True}, "temperature", "between 0 and 2, or null"),
        ({"temperature": "1"}, "temperature", "between 0 and 2, or null"),
        ({"metadata": []}, "metadata", "must be an object"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "at most 16 entries"),
        ({"metadata": {"": "x"}}, "metadata", "a name of 1 to 64 characters"),
        ({"metadata": {"x" * 65: "x"}}, "metadata", "a name of 1 to 64 characters"),
        ({"metadata": {1: "x"}}, "metadata", "a name of 1 to 64 characters"),
        ({"metadata": {"x": "x" * 513}}, "metadata", "a text of at most 512"),
        ({"metadata": {"x": 1}}, "metadata", "a text of at most 512"),
    ],
)
def test_what_passes_a_bound_is_refused_by_name(
    fields: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        LLMRequest(**{"messages": (ASKED,), **fields})
    assert refusal.value.field == field
    assert told in refusal.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": (ASKED,) * 100},
        {"messages": (message("user", "x" * 200_000),)},
        {"messages": (message("system"), message("system"), ASKED)},
        {"messages": (ASKED, message("assistant"), ASKED)},
        {"model": "org/some-model:v2"},
        {"max_tokens": 1},
        {"max_tokens": 128_000},
        {"temperature": 0},
        {"temperature": 2.0},
        {"metadata": {"x" * 64: "x" * 512}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_keeps_the_bounds_may_be_asked(fields: dict[str, Any]) -> None:
    request = LLMRequest(**{"messages": (ASKED,), **fields})
    decoded = json.loads(json.dumps(request.to_json()))
    assert LLMRequest.from_json(decoded) == request


def test_what_is_counted_of_a_request_shows_none_of_it() -> None:
    request = LLMRequest((message("system", "abc"), ASKED, message("assistant"), ASKED))
    assert request.characters == 3 + 3 * 5
    assert request.roles == ("system", "user", "assistant")


def test_no_repr_shows_what_was_said() -> None:
    request = LLMRequest((message("user", TEXT),), metadata={"x": TEXT})
    response = LLMResponse(TEXT, "m", USAGE, 1.0)
    assert TEXT not in f"{request!r} {request} {response!r} {response}"


def test_no_field_can_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ASKED.content = "other"  # type: ignore[misc]


def test_a_request_needs_nothing_but_messages() -> None:
    request = LLMRequest.from_json({"messages": [{"role": "user", "content": "hello"}]})
    assert request == LLMRequest((ASKED,))
    assert (request.model, request.max_tokens, request.temperature) == (None, 1024, None)


@pytest.mark.parametrize(
    ("value", "field", "told"),
    [
        (None, None, "must be an object"),
        ([], None, "must be an object"),
        ({}, "messages", "is missing"),
        ({"messages": "x"}, "messages", "must be a list"),
        ({"messages": ["x"]}, "messages[0]", "must be an object"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "is missing"),
        (
            {"messages": [{"role": "user", "content": "x", "name": "y"}]},
            "messages[0]",
            'no such field: "name"; there are content and role',
        ),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "bot", "content": "x"}]},
            "messages[1].role",
            "must be system, user or assistant",
        ),
        (
            {"messages": [{"role": "user", "content": ["x"]}]},
            "messages[0].content",
            "must be text",
        ),
        ({"messages": SAID, "stream": True}, None, 'no such field: "stream"'),
        ({"messages": SAID, "max_tokens": True}, "max_tokens", "must be a whole number"),
        ({"messages": SAID, "max_tokens": 1.5}, "max_tokens", "must be a whole number"),
        ({"messages": SAID, "max_tokens": None}, "max_tokens", "must be a whole number"),
        ({"messages": SAID, "model": 1}, "model", "is no model's name"),
        (
            {"messages": SAID, "temperature": "1"},
            "temperature",
            "must be a number between 0 and 2, or null",
        ),
        ({"messages": SAID, "metadata": None}, "metadata", "must be an object"),
        ({"messages": []}, "messages", "0 messages"),
    ],
)
def test_what_is_no_request_is_refused_by_name(value: Any, field: str | None, told: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        LLMRequest.from_json(value)
    assert refusal.value.field == field
    assert told in refusal.value.message


@pytest.mark.parametrize(
    "make",
    [
        lambda: LLMRequest.from_json({"messages": [{"role": TEXT, "content": f"{TEXT}\0"}]}),
        lambda: LLMRequest.from_json({"messages": SAID, "metadata": {TEXT: TEXT * 100}}),
        lambda: LLMRequest.from_json(TEXT),
        lambda: LLMResponse.from_json({"content": [TEXT]}),
        lambda: message("user", f"{TEXT}\0"),
        lambda: message(TEXT, TEXT),
    ],
    ids=["JSON", "metadata", "no object", "a response", "a message", "a role"],
)
def test_no_refusal_quotes_what_was_said_or_carries_an_error_that_does(
    make: Callable[[], object],
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        make()
    assert TEXT not in f"{refusal.value} {refusal.value!r} {vars(refusal.value)}"
    assert refusal.value.__cause__ is refusal.value.__context__ is None


def test_a_response_survives_its_json_form_to_the_last_digit() -> None:
    response = LLMResponse("hello", "m", USAGE, 12.5, truncated=True)
    form = json.loads(json.dumps(response.to_json()))
    assert form == {
        "content": "hello",
        "model": "m",
        "usage": {
            "input_tokens": 11,
            "output_tokens": 5,
            "total_tokens": 16,
            "estimated_cost_usd": "0.0000001",
        },
        "latency_ms": 12.5,
        "truncated": True,
    }
    assert LLMResponse.from_json(form) == response


def test_what_nobody_counted_survives_as_unknown() -> None:
    usage = LLMUsage(None, None, None, None)
    assert LLMUsage.from_json(json.loads(json.dumps(usage.to_json()))) == usage


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"usage": {}}, "usage.input_tokens"),
        ({"usage": {**USAGE.to_json(), "input_tokens": "11"}}, "usage.input_tokens"),
        ({"usage": {**USAGE.to_json(), "estimated_cost_usd": "x"}}, "usage.estimated_cost_usd"),
        ({"usage": {**USAGE.to_json(), "estimated_cost_usd": 0.1}}, "usage.estimated_cost_usd"),
        ({"content": None}, "content"),
        ({"truncated": 1}, "truncated"),
        ({"latency_ms": True}, "latency_ms"),
    ],
)
def test_what_is_no_response_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    form = {**LLMResponse("hello", "m", USAGE, 12.5).to_json(), **changes}
    with pytest.raises(InvalidInputError) as refusal:
        LLMResponse.from_json(form)
    assert refusal.value.field == field


def test_a_response_that_does_not_say_whether_it_is_whole_is_refused() -> None:
    form = LLMResponse("hello", "m", USAGE, 12.5).to_json()
    del form["truncated"]
    with pytest.raises(InvalidInputError, match="is missing") as refusal:
        LLMResponse.from_json(form)
    assert refusal.value.field == "truncated"


def test_an_error_has_a_json_form() -> None:
    assert LLMError("timeout", "too late", retryable=True).to_json() == {
        "error_type": "timeout",
        "error_message": "too late",
        "retryable": True,
    }
