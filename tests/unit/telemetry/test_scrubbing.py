"""What of a span may leave the process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.redaction.masking import redact_text
from remit.telemetry.scrubbing import (
    _HARMLESS,
    ALLOWED,
    LONGEST_READ,
    LONGEST_TEXT,
    MANY_ATTRIBUTES,
    plain_attributes,
    scrub_attributes,
    scrub_text,
)

SECRET = "sk-" + "s" * 40


@pytest.mark.parametrize(
    ("handed", "kept"),
    [
        ({"verdict": "allow"}, {"verdict": "allow"}),
        ({"attempt": 2, "cost_usd": 0.5, "retryable": True}, None),
        ({"payload": "x", "content": "x", "message": "x", "prompt": "x"}, {}),
        ({"exception.stacktrace": "x"}, {}),
        ({"reason": None, "count": [1], "status": {"a": 1}, "verdict": b"x"}, {}),
        ({"cost_usd": float("nan"), "count": float("inf"), "bytes": 1.5}, {"bytes": 1.5}),
        ({"reason": "half \ud83d"}, {"reason": "half ?"}),
        ({"reason": f"denied {SECRET}"}, {"reason": "denied [redacted]"}),
    ],
)
def test_only_plain_values_under_names_on_the_list_are_kept(
    handed: dict[str, object], kept: dict[str, object] | None
) -> None:
    assert scrub_attributes(handed) == (handed if kept is None else kept)


def test_what_a_caller_hands_over_is_sorted_out_at_once_and_masked_later() -> None:
    assert plain_attributes({"reason": SECRET, "payload": 1}) == {"reason": SECRET}


@pytest.mark.parametrize("before", [0, 1, LONGEST_TEXT - 30, LONGEST_TEXT - 4, LONGEST_TEXT])
def test_a_secret_is_masked_before_the_text_is_cut(before: int) -> None:
    text = scrub_text(" " * before + SECRET)
    assert "sss" not in text
    assert len(text) <= LONGEST_TEXT


def test_a_text_too_long_to_be_searched_leaves_only_its_length() -> None:
    assert scrub_text("a" * (LONGEST_READ + 1)) == f"[{LONGEST_READ + 1} characters]"


def test_a_span_carries_a_bounded_number_of_attributes() -> None:
    assert len(scrub_attributes(dict.fromkeys(ALLOWED, 1))) == MANY_ATTRIBUTES


@given(st.from_regex(_HARMLESS, fullmatch=True))
def test_what_is_not_searched_for_secrets_has_none(text: str) -> None:
    assert redact_text(text) == text
    assert scrub_text(text) == text


@pytest.mark.parametrize("almost", ["sk-", "remit_"])
def test_an_id_that_a_vendors_mark_stands_before_is_searched(almost: str) -> None:
    assert scrub_text(f"{almost}01890a5d-ac96-774b-bcce-b302099a8057") == "[redacted]"
