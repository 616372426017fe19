"""Amounts of US dollars, as people write them, without rounding.

The gate reads a directive's `budget` with it, and policy files their ceilings and amounts.
"""

import re
from decimal import Decimal

from remit.base.wording import quoted
from remit.errors import InvalidInputError
from remit.redaction.masking import redact_text

_AMOUNT = re.compile(
    r"(?P<sign>\$)?"
    r"(?P<whole>0|[1-9]\d{0,2}(?:,\d{3}){1,3}|[1-9]\d{0,11})"
    r"(?:\.(?P<cents>\d{1,2}))?"
    r"(?(sign)|(?: USD)?)",
    re.ASCII,
)


def parse_budget(text: str, *, field: str = "budget") -> Decimal:
    """Return the amount that `text` says, exactly, with two decimals.

    Accepted are "$50", "50.00", "50.5", "100 USD" and "$1,000.00": at most 12 digits before the
    point and 2 after it, commas only where they part thousands.

    Refused are: empty text; a minus or plus sign; NaN and infinities; another currency, or none
    written as "100USD", "$100 USD" or "100 usd"; exponents ("1e3"); more than 2 decimals; a point
    with no digit on either side of it; more than 12 digits before the point; leading zeros; commas
    elsewhere ("10,00", "1000,000"); spaces around or within; digits other than 0 to 9.

    Raises:
        InvalidInputError: `text` has another form.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InvalidInputError(
            f"{quoted(redact_text(text))} is not an amount of US dollars: write it like "
            '"$50", "50.00", "100 USD" or "$1,000.00"',
            field=field,
        )
    whole = match["whole"].replace(",", "")
    cents = (match["cents"] or "").ljust(2, "0")
    # Built from its digits: arithmetic would round to the precision of the caller's context.
    return Decimal(f"{whole}.{cents}")
