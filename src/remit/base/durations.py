"""How long something may take, as timeboxes and policies write it: "5m", "1h30m", "PT5M"."""

import re
from datetime import timedelta

from remit.base.wording import quoted
from remit.errors import InvalidInputError
from remit.redaction.masking import redact_text

LONGEST_TIMEBOX = timedelta(days=30)
"""A timebox may not be longer."""

_SHORTEST = timedelta(seconds=1)
_SHORT_FORM = re.compile(
    r"(?=.)(?:(?P<days>\d{1,9})d)?(?:(?P<hours>\d{1,9})h)?"
    r"(?:(?P<minutes>\d{1,9})m)?(?:(?P<seconds>\d{1,9})s)?",
    re.ASCII,
)
_ISO_FORM = re.compile(
    r"P(?=.)(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)


def parse_timebox(text: str, *, field: str = "timebox") -> timedelta:
    """Return the length of time that `text` says.

    Whole days, hours, minutes and seconds, largest first, each at most once: "30s", "5m", "2h",
    "1d", "1h30m", or as an ISO 8601 duration "PT5M", "P1DT2H". Weeks, months, years, fractions,
    signs and spaces are refused.

    Raises:
        InvalidInputError: `text` has another form, or says less than 1 second or over 30 days.
    """
    match = _SHORT_FORM.fullmatch(text) or _ISO_FORM.fullmatch(text)
    if match is None:
        raise InvalidInputError(
            f"{quoted(redact_text(text))} is not a length of time: write it like "
            '"30s", "5m", "1h30m", "1d" or "PT5M"',
            field=field,
        )
    parts = {unit: int(amount) for unit, amount in match.groupdict(default="0").items()}
    try:
        length = timedelta(**parts)
    except OverflowError:
        length = timedelta.max
    if not _SHORTEST <= length <= LONGEST_TIMEBOX:
        raise InvalidInputError(
            f"{quoted(redact_text(text))} is out of range: use at least 1s and at most 30d",
            field=field,
        )
    return length
