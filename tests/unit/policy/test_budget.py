"""Amounts of money are read exactly or refused."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.base.money import parse_budget
from remit.errors import InvalidInputError

MOST_CENTS = 10**14 - 1
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$50", "50.00"),
        ("50", "50.00"),
        ("50.00", "50.00"),
        ("50.5", "50.50"),
        ("$50.05", "50.05"),
        ("100 USD", "100.00"),
        ("100.25 USD", "100.25"),
        ("1,000 USD", "1000.00"),
        ("$1,000.00", "1000.00"),
        ("$12,345,678.90", "12345678.90"),
        ("0", "0.00"),
        ("$0.01", "0.01"),
        ("999999999999.99", "999999999999.99"),
        ("$999,999,999,999.99", "999999999999.99"),
    ],
)
def test_an_amount_is_read_exactly(text: str, expected: str) -> None:
    assert str(parse_budget(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        # nothing, or not a number
        "", " ", "$", "USD", "fifty", "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf",
        "0x10", "1_000", "1/2",
        # signs
        "-5", "-$5", "$-5", "+5", "(5)", "\u22125",
        # other currencies, or the dollar written otherwise
        "\u20ac50", "50 EUR", "\u00a350", "50 CAD", "CA$50", "100USD", "100 usd", "USD 100",
        "$100 USD", "50$", "\uff0450",
        # exponents, decimals, length, zeros
        "1e3", "1E3", "$1e-2", "1.", ".5", "1.234", "$1.001", "1.2.3", "1000000000000",
        "$1,000,000,000,000", "007", "00.50", "01",
        # commas
        "10,00", "1,0000", "1000,000", ",100", "1,,000", "100,", "1,000,00", "0,100", "1.000,00",
        # spaces and digits
        " 50", "50 ", "50\n", "$ 50", "1 000", "100  USD", "100\u00a0USD", "\u0665\u0660",
        "\uff15\uff10", "5\0", "\ud800",
    ],
    ids=ascii,
)  # fmt: skip
def test_any_other_form_is_refused_with_the_accepted_ones(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_budget(text)
    assert caught.value.field == "budget"
    assert caught.value.message.isprintable()
    assert caught.value.message.endswith(
        ' is not an amount of US dollars: write it like "$50", "50.00", "100 USD" or "$1,000.00"'
    )


def test_the_error_names_the_field_that_holds_the_amount() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_budget("x", field="budget.ceiling")
    assert caught.value.field == "budget.ceiling"


def test_a_vast_text_is_refused_quickly_and_quoted_in_short() -> None:
    for text in ("1" * 1_000_000, "1," * 500_000, "1," + "000," * 250_000):
        with pytest.raises(InvalidInputError) as caught:
            parse_budget(text)
        assert len(caught.value.message) < 200


@given(st.integers(0, MOST_CENTS))
def test_every_cent_comes_back_from_every_form(cents: int) -> None:
    expected = Decimal(cents).scaleb(-2)
    plain = f"{cents // 100}.{cents % 100:02}"
    grouped = f"{cents // 100:,}.{cents % 100:02}"
    for text in (plain, f"${plain}", f"{plain} USD", grouped, f"${grouped}", f"{grouped} USD"):
        assert parse_budget(text) == expected
        assert str(parse_budget(text)) == plain


def test_the_precision_of_the_callers_arithmetic_does_not_matter() -> None:
    with localcontext(prec=2):
        assert str(parse_budget("$123,456,789.01")) == "123456789.01"


@given(ANY_TEXT | st.from_regex(r"[$]?[0-9.,\-eE ]{0,12}( USD)?"))
def test_any_text_is_a_bounded_amount_or_bad_input(text: str) -> None:
    try:
        amount = parse_budget(text)
    except InvalidInputError:
        return
    assert 0 <= amount < 10**12
    assert amount.as_tuple().exponent == -2
