"""What an API token is: an identifier to look it up by, and a secret that only its holder has.

The secret has 256 random bits, so a plain digest of it at rest gives nothing away and needs no
slow hash.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from uuid import UUID, uuid4

from remit.errors import UnauthenticatedError

PREFIX = "remit"
"""How every token begins, so that scanners for leaked secrets can find one."""

_FORM = re.compile(rf"{PREFIX}_(?P<id>[0-9a-f]{{32}})_(?P<secret>[A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        id: what it is looked up by.
        secret: what proves that its holder was given it.
    """

    id: UUID
    secret: str

    def __str__(self) -> str:
        """Return the token as its holder keeps it."""
        return f"{PREFIX}_{self.id.hex}_{self.secret}"

    def __repr__(self) -> str:
        """Return it without its secret, for logs and tracebacks."""
        return f"Token({self.id})"

    @property
    def hash(self) -> str:
        """What is stored of it: SHA-256 over the whole token, in hexadecimal digits."""
        return hashlib.sha256(str(self).encode()).hexdigest()

    def matches(self, stored: str) -> bool:
        """Return whether `stored` is the hash of this token, in constant time."""
        return hmac.compare_digest(self.hash, stored)


def new_token() -> Token:
    """Return a token that nobody has."""
    return Token(uuid4(), secrets.token_urlsafe(32))


def parse_token(text: str) -> Token:
    """Return the token that `text` is.

    Raises:
        UnauthenticatedError: it has not the form of one; the message repeats nothing of it.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise UnauthenticatedError(
            f"this is no token: it begins with {PREFIX}_ and is 82 characters long; "
            "`remit token create` makes one"
        )
    return Token(UUID(match["id"]), match["secret"])
