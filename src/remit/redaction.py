"""The one place where secrets are taken out of what is kept or shown.

Called before anything is stored, truncated, logged or sent: what was cut short first could hide the
end of a secret from the patterns. Two ways lead to a secret, and either is enough: the name under
which a value stands (`password`, `api_key`, `Authorization`), and the form of the value (a private
key, a vendor's token, the password of an address). Pure.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The command line loads this module at its start, and must not load what that loads.
    from pydantic import JsonValue

MASK = "[redacted]"
"""What stands in place of a secret."""

_LAST_WORDS = frozenset(
    {
        *("accesstoken", "apikey", "authorization", "cookie", "credential", "credentials"),
        *("passphrase", "privatekey", "secretkey"),
        *("passwd", "password", "passwords", "pwd", "secret", "secrets", "token"),
    }
)
"""A name whose last word is one of these names a secret; `total_tokens` does not."""

_KEYS = frozenset({"access", "api", "encryption", "private", "secret", "signing"})
"""`private_key` names a secret, `idempotency_key` does not."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

# Every pattern takes time in proportion to the text: none has a repetition within a repetition.
_PATTERNS: Mapping[str, str] = {
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----"
    r".*?(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----|\Z)": MASK,
    r"(?<![\w-])remit_[0-9A-Za-z_-]{24,}": MASK,
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b": MASK,
    r"\bgh[opsur]_[0-9A-Za-z]{30,}": MASK,
    r"\bgithub_pat_\w{22,}": MASK,
    r"(?<![\w-])sk-[\w-]{20,}": MASK,
    r"(?<![\w-])[rs]k_(?:live|test)_[0-9A-Za-z]{16,}": MASK,
    r"(?<![\w-])(?:glpat-|hf_)[\w-]{20,}": MASK,
    r"(?<![\w-])xox[abeprs]-[\w-]{10,}": MASK,
    r"\bAIza[\w-]{35}": MASK,
    r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*": MASK,
    r"\b(?i:(bearer|basic))[ ]+[\w.~+/=-]{8,}": rf"\1 {MASK}",
    r"(://[^\s/:@]{0,256}):[^\s/@]{1,1024}@": rf"\1:{MASK}@",
    r"\b(?i:(api[_-]?key|passphrase|passw(?:or)?d|pwd|secret|token))"
    r"([\"']?[ ]?[=:][ ]?[\"']?)[^\s\"',;&]{4,}": rf"\1\2{MASK}",
    # Within a longer name, as variables have them: OPENAI_API_KEY=..., "db_password": "...".
    # Not before a bare colon: `OPENAI_API_KEY: missing` is how an error names its field.
    r"(?:(?<=_)|(?<=PG))(?i:((?:access|api|encryption|private|secret|signing)[_-]?key|passphrase"
    r"|passw(?:or)?d|pwd|secret|token))([\"'][ ]?:[ ]?[\"']|[ ]?=[ ]?[\"']?)"
    r"[^\s\"',;&]{4,}": rf"\1\2{MASK}",
}

_COMPILED = tuple((re.compile(form, re.DOTALL), kept) for form, kept in _PATTERNS.items())


def redact(value: "JsonValue") -> "JsonValue":
    """Return a JSON value with every secret in it masked; doing it twice changes nothing more.

    What stands under a name of a secret is masked whole, unless it is null, true or false.
    """
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(each) for each in value]
    if isinstance(value, dict):
        return redact_object(value)
    return value


def redact_object(value: "Mapping[str, JsonValue]") -> "dict[str, JsonValue]":
    """Return a JSON object with every secret in it masked; see :func:`redact`."""
    return {
        redact_text(name): MASK if _is_secret(name, each) else redact(each)
        for name, each in value.items()
    }


def redact_text(text: str) -> str:
    """Return a text with everything in it masked that has the form of a secret."""
    for pattern, kept in _COMPILED:
        text = pattern.sub(kept, text)
    return text


def find_secret(value: "JsonValue", place: str = "") -> str | None:
    """Return where in a JSON value the first secret stands, as a dotted path; None: there is none.

    It is whatever :func:`redact` would mask, and nothing else.

    Args:
        value: the value.
        place: the path of the value itself; empty for the outermost.
    """
    if isinstance(value, str):
        return None if redact_text(value) == value else place
    if isinstance(value, list):
        inside = ((f"{place}.{at}", each) for at, each in enumerate(value))
    elif isinstance(value, dict):
        inside = ((f"{place}.{name}", each) for name, each in value.items())
        for name, each in value.items():
            if (_is_secret(name, each) and each != MASK) or redact_text(name) != name:
                return f"{place}.{redact_text(name)}".strip(".")
    else:
        return None
    found = (find_secret(each, path.strip(".")) for path, each in inside)
    return next(filter(None, found), None)


def names_secret(name: str) -> bool:
    """Return whether a value of this name is a secret, whatever its form."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    if words[-1] in _LAST_WORDS:
        return True
    return words[-1] == "key" and len(words) > 1 and words[-2] in _KEYS


def _is_secret(name: str, value: "JsonValue") -> bool:
    return value is not None and not isinstance(value, bool) and names_secret(name)
