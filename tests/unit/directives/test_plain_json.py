"""Only JSON that Postgres and RFC 8785 both carry passes."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.base.canonical import canonical_json
from remit.base.json_types import MAX_NUMBER
from remit.directives.plain_json import MAX_DEPTH, JsonFault, find_fault

INEXACT = "too large for an exact JSON number (over 2**53 - 1): send it as text"
NOT_FINITE = "not a finite number: leave it out or send text"
NUL = "holds a NUL byte: remove it"
SURROGATE = "holds half of a surrogate pair: send the whole character"
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.dates(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=())) | st.integers(), inner)
    ),
    max_leaves=20,
)


def nested(levels: int, *, of: type = list) -> Any:
    """Return that many lists or objects, one inside the other."""
    value: Any = 1
    for _ in range(levels):
        value = [value] if of is list else {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1.5, MAX_NUMBER, -MAX_NUMBER, 5e-324, "", "\U0001f600", [], {}, {"a": [{}]}],
    ids=repr,
)
def test_plain_json_has_no_fault(value: Any) -> None:
    assert find_fault(value) is None


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        (math.nan, "", NOT_FINITE),
        ({"a": [1, {"b": math.inf}]}, "a.1.b", NOT_FINITE),
        ([-math.inf], "0", NOT_FINITE),
        ({"n": 2**53}, "n", INEXACT),
        ({"n": -(2**53)}, "n", INEXACT),
        ({"n": 1e300}, "n", INEXACT),
        pytest.param({"n": 10**5000}, "n", INEXACT, id="huge"),
        ({"t": "a\0b"}, "t", NUL),
        ({"t": "grün \ud83d"}, "t", SURROGATE),
        ({"a\0": 1}, "a\\x00", f"its name {NUL}"),
        ({"a": {"\udc00": 1}}, "a.\\udc00", f"its name {SURROGATE}"),
        ({"a": {1: 2}}, "a", "has a key that is not text: use text for every key"),
        (
            {"a": b""},
            "a",
            ("a value of type bytes is not JSON: use text, a number, a list or an object"),
        ),
        (
            {"a": (1,)},
            "a",
            ("a value of type tuple is not JSON: use text, a number, a list or an object"),
        ),
        ({"k" * 50: math.nan}, "k" * 40 + "...", NOT_FINITE),
        ({"a": math.nan, "b": "\0"}, "a", NOT_FINITE),
        ([[1, math.nan], "\0"], "0.1", NOT_FINITE),
    ],
    ids=ascii,
)
def test_the_first_fault_is_named_with_its_path(value: Any, path: str, problem: str) -> None:
    assert find_fault(value) == JsonFault(path, problem)


@pytest.mark.parametrize("of", [list, dict])
def test_nesting_is_limited(of: type) -> None:
    assert find_fault(nested(MAX_DEPTH + 1, of=of)) is None
    fault = find_fault(nested(MAX_DEPTH + 2, of=of))
    assert fault is not None
    assert fault.problem == "nested too deeply: at most 32 levels"


def test_bottomless_and_circular_nesting_is_refused() -> None:
    assert find_fault(nested(100_000)) is not None
    circle: list[Any] = []
    circle.append(circle)
    assert find_fault(circle) is not None


@pytest.mark.parametrize(
    "value",
    ["x" * 101, [0] * 51, {"k" * 101: 1}, {str(n): n for n in range(34)}],
    ids=["text", "list", "key", "object"],
)
def test_weight_is_limited(value: Any) -> None:
    fault = find_fault(value, max_weight=100)
    assert fault is not None
    assert fault.problem == "too large: shorten it"


def test_a_value_that_repeats_itself_doubling_at_each_level_is_refused_quickly() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH):
        value = [value, value]
    fault = find_fault(value, max_weight=10_000)
    assert fault is not None
    assert fault.problem == "too large: shorten it"


@given(ANYTHING)
def test_what_has_no_fault_is_carried_by_json_and_rfc_8785(value: Any) -> None:
    fault = find_fault(value)
    if fault is None:
        # At most as heavy as it is long, so a limit on weight never refuses what fits.
        assert find_fault(value, max_weight=len(canonical_json(value))) is None
        assert json.loads(json.dumps(value, allow_nan=False)) == value
    else:
        assert fault.path.isprintable()
        assert fault.problem.isprintable()
