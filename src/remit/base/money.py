"""Amounts of US dollars, as people write them in budgets and policies, without rounding."""

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
    point and 2 after it, commas only where they part thousands, no leading zeros. A sign, another
    currency or way to write it, an exponent and any other space are refused.

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
