"""What an API token is: an identifier to look it up by, and a secret that only its holder has.

The code of an invitation has the same form, and becomes a token once. The secret has 256 random
bits, so a plain digest of it at rest gives nothing away and needs no slow hash.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

from remit.errors import UnauthenticatedError

PREFIX = "remit"
"""How every token begins, so that scanners for leaked secrets can find one."""

CODE_PREFIX = f"{PREFIX}_invite"
_FORM = r"_(?P<id>[0-9a-f]{32})_(?P<secret>[A-Za-z0-9_-]{43})"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: what it is looked up by, and what proves that its holder was given it."""

    prefix: ClassVar[str] = PREFIX

    id: UUID
    secret: str

    def __str__(self) -> str:
        """Return the token as its holder keeps it."""
        return f"{self.prefix}_{self.id.hex}_{self.secret}"

    def __repr__(self) -> str:
        """Return it without its secret, for logs and tracebacks."""
        return f"{type(self).__name__}({self.id})"

    @property
    def hash(self) -> str:
        """What is stored of it: SHA-256 over the whole token, in hexadecimal digits."""
        return hashlib.sha256(str(self).encode()).hexdigest()

    def matches(self, stored: str) -> bool:
        """Return whether `stored` is the hash of this token, in constant time."""
        return hmac.compare_digest(self.hash, stored)


@dataclass(frozen=True, slots=True, repr=False)
class Code(Token):
    """The code of an invitation: not a token, and nobody is known by it."""

    prefix: ClassVar[str] = CODE_PREFIX


def new_token() -> Token:
    """Return a token that nobody has."""
    return Token(uuid4(), secrets.token_urlsafe(32))


def new_code() -> Code:
    """Return a code that nobody has."""
    return Code(uuid4(), secrets.token_urlsafe(32))


def parse_token(text: str) -> Token:
    """Return the token that `text` is."""
    match = re.fullmatch(PREFIX + _FORM, text.strip())
    if match is None:
        raise UnauthenticatedError(
            f"this is no token: it begins with {PREFIX}_ and is 82 characters long; "
            "`remit token create` makes one"
        )
    return Token(UUID(match["id"]), match["secret"])


def parse_code(text: str) -> Code:
    """Return the code of an invitation that `text` is."""
    match = re.fullmatch(CODE_PREFIX + _FORM, text.strip())
    if match is None:
        raise UnauthenticatedError(
            f"this is no invitation's code: it begins with {CODE_PREFIX}_ and is 89 characters "
            "long; `remit token invite` makes one"
        )
    return Code(UUID(match["id"]), match["secret"])
