"""JSON as it is read: what no reader can hold is a mark, and all else is what it was."""

import json

import pytest

from remit.base.json_types import MAX_KEPT_DEPTH, Unreadable
from remit.db.reading import read_json

MARK = Unreadable("json")


def nested(depth: int) -> str:
    return "[" * (depth + 1) + "]" * (depth + 1)


@pytest.mark.parametrize(
    "text",
    [
        '{"x": 1' + "0" * 5000 + "}",
        "[-1" + "0" * 309 + "]",
        "[1" + "0" * 310 + ".5]",
        nested(MAX_KEPT_DEPTH + 1),
        nested(100_000),
        '{"x": ' * 5000 + "1" + "}" * 5000,
        "",
        "[",
        "\udcff",
    ],
    ids=lambda text: f"{text[:12]!r} of {len(text)}",
)
def test_what_no_reader_can_hold_is_a_mark(text: str) -> None:
    assert read_json(text.encode("utf-8", "surrogateescape")) == MARK


@pytest.mark.parametrize(
    "text",
    [
        "null",
        '{"x": [1, 2.5, true, null, "é\\u0001"]}',
        str(2**53),
        "1" + "0" * 308,
        "-1" + "0" * 308,
        "0." + "0" * 400 + "1",
        '"' + "9" * 5000 + '"',
        nested(MAX_KEPT_DEPTH),
        "[" + ",".join(["[]"] * 1000) + "]",
        '{"a": "' + "[{" * 500 + '"}',
    ],
    ids=lambda text: f"{text[:12]!r} of {len(text)}",
)
def test_all_else_is_what_it_was(text: str) -> None:
    assert read_json(text.encode()) == json.loads(text)
    assert type(read_json(text.encode())) is type(json.loads(text))
