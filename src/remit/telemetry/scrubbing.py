"""What of a span may leave the process.

Every span passes through here on its way out, those of libraries too: only names on the list, only
plain values, secrets masked before anything is cut short. A payload, a content or a message has no
name on the list. Pure.
"""

import math
import re
from collections.abc import Mapping
from itertools import islice

from remit.redaction.masking import redact_text

LONGEST_TEXT = 256
"""Characters that remain of a text, after secrets are masked."""

LONGEST_READ = 65_536
"""Characters of a text that are looked at; the rest cannot be kept, and is not searched."""

MANY_ATTRIBUTES = 32
"""How many attributes one span may carry."""

ALLOWED = frozenset(
    {
        *("action", "artifact_id", "artifact_type", "attempt", "attempts", "bytes", "characters"),
        *("cost_usd", "count", "decision", "directive_id", "directive_type", "directives"),
        *("error_type", "failure_type", "finish_reason", "input_tokens", "kind", "matches"),
        *("message_count", "model", "module_name", "module_version", "outcome", "output_tokens"),
        *("policy_version", "provider", "query", "queue", "reason", "request_id", "retryable"),
        *("role", "run_id", "status", "store", "total_tokens", "verdict", "votes"),
        # Temporal's own, on the spans of its tracing interceptor.
        *("temporalActivityID", "temporalRunID", "temporalUpdateID", "temporalWorkflowID"),
        # OpenTelemetry's own, on the event of an exception. Its stack trace is left out.
        *("exception.message", "exception.type"),
    }
)
"""Every attribute name that is exported."""

_HARMLESS = re.compile(
    r"[a-z_.]{1,24}|(?:execution-|approval-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII
)
"""Most texts of a span: a word of ours, or an id. No secret has such a form, so none is searched
for, which would take most of the time that a span takes; a test holds this against `redaction`."""

Plain = bool | int | float | str
"""A value that an attribute may have."""


def scrub_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text with its secrets masked, and then cut to `longest` characters.

    A text too long to be looked at whole is not searched in part: a secret could be cut in two, and
    its beginning would not be known for one. All but its length is left out.
    """
    if _HARMLESS.fullmatch(text):
        return text
    if len(text) > LONGEST_READ:
        return f"[{len(text)} characters]"
    # Half a character cannot be written as UTF-8.
    clean = redact_text(text.encode("utf-8", "replace").decode())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def plain_attributes(attributes: Mapping[str, object]) -> dict[str, Plain]:
    """Return the attributes whose name and kind of value are allowed; their texts as they are.

    NaN and the infinities are left out: JSON has no word for them. Whoever opens a span calls this;
    the masking is left to :func:`scrub_attributes`, in another thread.
    """
    return {
        name: value
        for name, value in attributes.items()
        if name in ALLOWED
        and isinstance(value, bool | int | float | str)
        and not (isinstance(value, float) and not math.isfinite(value))
    }


def scrub_attributes(attributes: Mapping[str, object]) -> dict[str, Plain]:
    """Return the attributes that may be exported, as they may be exported."""
    kept = islice(plain_attributes(attributes).items(), MANY_ATTRIBUTES)
    return {name: scrub_text(value) if isinstance(value, str) else value for name, value in kept}
