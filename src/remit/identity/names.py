"""What a principal may be called: names that look alike must be alike."""

import re

from remit.base.wording import quoted
from remit.errors import InvalidInputError
from remit.redaction.masking import redact_text

RESERVED = "remit"
"""The name under which Remit itself appears in the log."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}", re.ASCII)


def check_name(name: str, *, field: str) -> None:
    """Return quietly when `name`, of an input field, can be a principal's."""
    if name == RESERVED:
        raise InvalidInputError(f"{name} is what Remit calls itself: choose another", field=field)
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{quoted(redact_text(name))} is no principal's name: use lower-case letters, digits, "
            "and . _ @ - after the first, at most 100 in all",
            field=field,
        )


def name_from(text: str) -> str:
    """Return the name nearest to `text`, for an account that is called something else."""
    plain = re.sub(r"[^a-z0-9._@-]+", "-", text.lower()).lstrip("._@-")
    return plain[:100] if plain not in {"", RESERVED} else "operator"
