"""A timebox is read exactly or refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.base.durations import parse_timebox
from remit.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", timedelta(seconds=1)),
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("90m", timedelta(minutes=90)),
        ("0h5m", timedelta(minutes=5)),
        ("30d", timedelta(days=30)),
        ("PT5M", timedelta(minutes=5)),
        ("P1D", timedelta(days=1)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("PT1H30M5S", timedelta(hours=1, minutes=30, seconds=5)),
    ],
)
def test_a_length_of_time_is_read(text: str, expected: timedelta) -> None:
    assert parse_timebox(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "5", "m", "5 m", " 5m", "5m\n", "5M", "1.5h", "-5m", "+5m", "5m1h", "5m5m", "1w",
        "1y", "\u0665m", "P", "PT", "P1DT", "PT5", "P5M", "P1W", "P1Y", "pt5m", "PT-5M", "PT0.5S",
        "1000000000000s", "forever",
    ],
)  # fmt: skip
def test_any_other_form_is_refused_with_the_accepted_ones(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_timebox(text)
    assert caught.value.field == "timebox"
    assert caught.value.message.endswith(
        ' is not a length of time: write it like "30s", "5m", "1h30m", "1d" or "PT5M"'
    )


@pytest.mark.parametrize(
    "text", ["0s", "0d0h0m0s", "PT0S", "31d", "30d1s", "P31D", "999999999d999999999h"]
)
def test_less_than_a_second_and_more_than_thirty_days_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_timebox(text, field="expires_after")
    assert str(caught.value) == (
        f'expires_after: "{text}" is out of range: use at least 1s and at most 30d'
    )


@given(st.integers(1, 30 * 24 * 3600))
def test_every_second_of_the_range_is_read_in_every_form(seconds: int) -> None:
    minutes, rest = divmod(seconds, 60)
    expected = timedelta(seconds=seconds)
    for text in (f"{seconds}s", f"{minutes}m{rest}s", f"PT{seconds}S", f"PT{minutes}M{rest}S"):
        assert parse_timebox(text) == expected


@given(st.text(st.characters(exclude_categories=())) | st.from_regex(r"P?[0-9DHMSTdhms]{0,20}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    length, problem = timedelta(seconds=1), ""
    try:
        length = parse_timebox(text)
    except InvalidInputError as error:
        problem = error.message
    assert timedelta(seconds=1) <= length <= timedelta(days=30)
    assert problem.isprintable()
