"""What a caller sends is taken in whole, or refused in one line that names the fix."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from remit.base.canonical import canonical_json
from remit.directives.models import (
    INTENT_FIELDS,
    DirectiveCreate,
    intent_of,
    parse_directive,
)
from remit.errors import InvalidInputError

LEAST: dict[str, Any] = {
    "role": "operator",
    "type": "echo",
    "issued_by": "alice",
    "objective": "Say hello.",
    "scope": "test",
    "status": "proposed",
}
FULL: dict[str, Any] = {
    **LEAST,
    "payload": {"text": "hello", "list": [1, 2.5, None, True, {"a": "b"}]},
    "constraints": {"max": 1},
    "success_metrics": {},
    "budget": "$50.00",
    "timebox": "5m",
    "idempotency_key": "k-1",
}
KNOWN = (
    "role, type, payload, issued_by, objective, scope, constraints, success_metrics, budget, "
    "timebox, status and idempotency_key"
)
TOO_LARGE = "too large: at most 65536 bytes of canonical JSON; shorten the payload"
ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=20,
)


def parse(data: object, max_bytes: int = 65536) -> DirectiveCreate:
    """Parse with the usual limit."""
    return parse_directive(data, max_bytes=max_bytes)


def refused(data: object, max_bytes: int = 65536) -> InvalidInputError:
    """Return why `data` is refused."""
    with pytest.raises(InvalidInputError) as caught:
        parse(data, max_bytes)
    return caught.value


def test_the_intent_has_ten_fields() -> None:
    assert INTENT_FIELDS == (
        "role",
        "type",
        "payload",
        "issued_by",
        "objective",
        "scope",
        "constraints",
        "success_metrics",
        "budget",
        "timebox",
    )


def test_a_full_directive_is_taken_in_unchanged() -> None:
    assert parse(FULL).model_dump() == FULL


def test_what_may_be_left_out_is_empty_or_none() -> None:
    directive = parse(LEAST)
    assert directive.payload == {}
    assert directive.constraints is None
    assert directive.success_metrics is None
    assert directive.budget is None
    assert directive.timebox is None
    assert directive.idempotency_key is None


@pytest.mark.parametrize("status", ["draft", "proposed"])
def test_both_first_statuses_are_accepted(status: str) -> None:
    assert parse({**LEAST, "status": status}).status == status


def test_the_intent_is_exactly_the_ten_fields_as_plain_json() -> None:
    intent = intent_of(parse(FULL))
    assert tuple(intent) == INTENT_FIELDS
    assert intent == {name: FULL[name] for name in INTENT_FIELDS}


def test_text_is_kept_as_it_was_written() -> None:
    objective = "  Line one.\n\tLine two: grün \U0001f600 \u202e \n"
    assert parse({**LEAST, "objective": objective}).objective == objective


def test_a_directive_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parse(LEAST).role = "other"  # type: ignore[misc]


def test_a_directive_built_directly_is_held_to_the_same_rules() -> None:
    with pytest.raises(ValidationError, match="holds a NUL byte: remove it"):
        DirectiveCreate.model_validate({**LEAST, "payload": {"a": "\0"}})
    directive = parse(LEAST)
    assert DirectiveCreate.model_validate(directive) is directive


INVISIBLE = "holds an invisible character (U+{}): remove it"
OUTER_SPACE = "starts or ends with a space: remove it"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"priority": 1}, "priority", f"unknown field; known fields are {KNOWN}"),
        ({"a\nb": 1}, "a\\nb", f"unknown field; known fields are {KNOWN}"),
        ({"x" * 99: 1}, "x" * 40 + "...", f"unknown field; known fields are {KNOWN}"),
        ({"role": 5}, "role", "must be text"),
        ({"role": None}, "role", "must be text"),
        ({"budget": 50}, "budget", "must be text"),
        ({"payload": []}, "payload", "must be a JSON object"),
        ({"payload": None}, "payload", "must be a JSON object"),
        ({"constraints": "x"}, "constraints", "must be a JSON object"),
        ({"success_metrics": 1}, "success_metrics", "must be a JSON object"),
        ({"status": "approved"}, "status", 'say "draft" or "proposed"'),
        ({"status": None}, "status", 'say "draft" or "proposed"'),
        ({"status": {}}, "status", 'say "draft" or "proposed"'),
        ({"role": ""}, "role", "empty: say who is to act"),
        ({"objective": " \n"}, "objective", "empty: say what is to be achieved"),
        ({"scope": " "}, "scope", 'empty: say where it may act, like "test"'),
        ({"budget": ""}, "budget", "empty: leave it out or fill it"),
        ({"idempotency_key": " "}, "idempotency_key", "empty: leave it out or fill it"),
        ({"role": "r" * 201}, "role", "too long: at most 200 characters"),
        ({"type": "r" * 201}, "type", "too long: at most 200 characters"),
        ({"scope": "r" * 201}, "scope", "too long: at most 200 characters"),
        ({"issued_by": "r" * 201}, "issued_by", "too long: at most 200 characters"),
        ({"objective": "r" * 4001}, "objective", "too long: at most 4000 characters"),
        ({"budget": "1" * 65}, "budget", "too long: at most 64 characters"),
        ({"timebox": "1" * 65}, "timebox", "too long: at most 64 characters"),
        ({"idempotency_key": "k" * 201}, "idempotency_key", "too long: at most 200 characters"),
        ({"role": "a\tb"}, "role", INVISIBLE.format("0009")),
        ({"type": "echo\u200b"}, "type", INVISIBLE.format("200B")),
        ({"scope": "\u202etset"}, "scope", INVISIBLE.format("202E")),
        ({"issued_by": "al\u00a0ice"}, "issued_by", INVISIBLE.format("00A0")),
        ({"issued_by": "alice "}, "issued_by", OUTER_SPACE),
        ({"issued_by": "\nalice"}, "issued_by", OUTER_SPACE),
        (
            {"timebox": "soon"},
            "timebox",
            ('"soon" is not a length of time: write it like "30s", "5m", "1h30m", "1d" or "PT5M"'),
        ),
        ({"timebox": "31d"}, "timebox", '"31d" is out of range: use at least 1s and at most 30d'),
        ({"role": "a\0"}, "role", "holds a NUL byte: remove it"),
        ({"payload": {"a": {"b": ["\0"]}}}, "payload.a.b.0", "holds a NUL byte: remove it"),
        (
            {"payload": {"a": float("nan")}},
            "payload.a",
            "not a finite number: leave it out or send text",
        ),
        (
            {"payload": {"a": 2**53}},
            "payload.a",
            "too large for an exact JSON number (over 2**53 - 1): send it as text",
        ),
        ({1: 2}, None, "has a key that is not text: use text for every key"),
    ],
    ids=ascii,
)
def test_a_bad_field_is_named_with_its_fix(
    change: dict[Any, Any], field: str | None, message: str
) -> None:
    error = refused({**LEAST, **change})
    assert (error.field, error.message) == (field, message)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("role", "missing: say who is to act"),
        (
            "type",
            "missing: name the module that is to execute it, as `remit modules` lists them",
        ),
        ("issued_by", "missing: say who asks for it"),
        ("objective", "missing: say what is to be achieved"),
        ("scope", 'missing: say where it may act, like "test"'),
        ("status", 'missing: say "draft" or "proposed"'),
    ],
)
def test_a_missing_field_is_named_with_its_meaning(field: str, message: str) -> None:
    error = refused({name: value for name, value in LEAST.items() if name != field})
    assert (error.field, error.message) == (field, message)


@pytest.mark.parametrize("data", [None, 1, "text", [], [LEAST], b"", LEAST.items()], ids=repr)
def test_what_is_no_object_is_refused_as_a_whole(data: object) -> None:
    error = refused(data)
    assert error.field is None
    assert error.message == f"a directive must be a JSON object with the fields {KNOWN}"


def test_the_limits_themselves_are_accepted() -> None:
    name = "r" * 200
    longest = {"role": name, "type": name, "scope": name, "issued_by": name}
    texts = {"objective": "o" * 4000, "budget": "1" * 64, "idempotency_key": "\u20ac" * 200}
    assert parse({**LEAST, **longest, **texts}).objective == "o" * 4000


def test_nesting_is_limited_inside_a_field() -> None:
    def payload(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = {"a": value}
        return value

    assert parse({**LEAST, "payload": payload(32)}).payload == payload(32)
    error = refused({**LEAST, "payload": payload(33)})
    assert error.message == "nested too deeply: at most 32 levels"
    assert refused({**LEAST, "payload": payload(100_000)}).message == error.message


def test_the_size_limit_counts_the_canonical_intent_and_nothing_else() -> None:
    intent = intent_of(parse(FULL))
    size = len(canonical_json(intent))
    longest_key = {**FULL, "idempotency_key": "k" * 200}
    assert intent_of(parse(longest_key, size)) == intent
    error = refused(longest_key, size - 1)
    assert error.field is None
    assert error.message == (
        f"too large: at most {size - 1} bytes of canonical JSON; shorten the payload"
    )


@pytest.mark.parametrize(
    "payload",
    [
        {"a": "x" * 70_000},
        {"a": "\u20ac" * 30_000},
        {"a": "\x01" * 20_000},
        {"a": [0] * 1_000_000},
        {"a" * 10_000_000: 1},
    ],
    ids=["long", "wide characters", "escapes", "list", "key"],
)
def test_a_directive_over_the_size_limit_is_refused(payload: dict[str, Any]) -> None:
    assert str(refused({**LEAST, "payload": payload})) == TOO_LARGE


@given(ANY_JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(FULL, ANY_JSON)))
@example({})
def test_arbitrary_json_is_taken_in_or_refused_in_one_line(data: Any) -> None:
    problem = ""
    try:
        parse(data)
    except InvalidInputError as error:
        problem = str(error)
    assert problem.isprintable()


@given(st.sampled_from(sorted(FULL)), ANY_JSON)
def test_one_arbitrary_field_is_taken_in_unchanged_or_refused(name: str, value: Any) -> None:
    at_fault, taken_in = name, value
    try:
        taken_in = getattr(parse({**FULL, name: value}), name)
    except InvalidInputError as error:
        at_fault = (error.field or name).split(".")[0]
    assert (at_fault, taken_in) == (name, value)
