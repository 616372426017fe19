"""The action digest names what an intent says, and nothing else."""

import hashlib
import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from remit.base.canonical import canonical_json, sha256_digest
from remit.directives.digest import action_digest
from remit.directives.models import INTENT_FIELDS
from remit.errors import InvalidInputError
from tests.support.drawn import JSON

INTENTS = st.fixed_dictionaries(dict.fromkeys(INTENT_FIELDS, JSON))


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values say the same; Python holds True and 1 equal, JSON does not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ({"n": 1.0}, b'{"n":1}'),
        ({"n": -0.0}, b'{"n":0}'),
        ({"n": 1e-7}, b'{"n":1e-7}'),
        (
            {"\u20ac": "\r", "\U0001f600": "<", "\ufb33": "\x01"},
            '{"\u20ac":"\\r","\U0001f600":"<","\ufb33":"\\u0001"}'.encode(),
        ),
        ("text", b'"text"'),
    ],
)
def test_canonical_json_is_that_of_rfc_8785(value: Any, expected: bytes) -> None:
    assert canonical_json(value) == expected


def deep() -> Any:
    """Return lists inside lists, too many for any recursion."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        2**53,
        pytest.param(10**5000, id="huge"),
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        b"bytes",
        {"a": {1}},
    ],
    ids=ascii,
)
def test_what_rfc_8785_cannot_carry_is_bad_input(value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^this value has no canonical JSON: use text, "):
        canonical_json({"payload": value})


def test_bottomless_nesting_is_bad_input() -> None:
    with pytest.raises(InvalidInputError, match="no canonical JSON"):
        canonical_json(deep())


def test_a_digest_is_sha_256_of_the_canonical_bytes() -> None:
    expected = "sha256:" + hashlib.sha256(b'{"a":1,"b":2}').hexdigest()
    assert action_digest({"b": 2, "a": 1}) == expected
    assert sha256_digest(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@given(INTENTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_count(intent: dict[str, Any], choice: Any) -> None:
    names = list(intent)
    choice.shuffle(names)
    assert action_digest({name: intent[name] for name in names}) == action_digest(intent)


@given(INTENTS)
def test_a_round_trip_through_json_does_not_count(intent: dict[str, Any]) -> None:
    assert action_digest(json.loads(json.dumps(intent))) == action_digest(intent)


@given(INTENTS, st.sampled_from(INTENT_FIELDS), JSON)
def test_a_change_of_any_one_field_changes_the_digest(
    intent: dict[str, Any], name: str, value: Any
) -> None:
    assume(not same(intent[name], value))
    assert action_digest({**intent, name: value}) != action_digest(intent)


@pytest.mark.parametrize(
    "other",
    ["deploy ", "depl\u043ey", "deploy\u200b", "\u202edeploy", "Deploy", "de\u0301ploy"],
    ids=ascii,
)
def test_what_looks_alike_has_another_digest(other: str) -> None:
    assert action_digest({"objective": other}) != action_digest({"objective": "deploy"})


@given(JSON)
def test_the_fast_writer_and_the_library_of_rfc_8785_agree(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)
