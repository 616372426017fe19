"""The one family of errors that Remit raises on purpose.

Lower layers raise the subclass that fits and write the message for the person who must act on it:
what is wrong, in which field, and what to do instead. Every door turns it into its own form: an
exit code, a problem document, a tool error. Anything else that escapes is a defect of Remit.
"""

from collections.abc import Sequence
from typing import ClassVar

from remit.vocabulary import ErrorType


class RemitError(Exception):
    """Base of all deliberate errors; raise a subclass.

    Attributes:
        error_type: which kind of error this is.
        retryable: whether the same call may succeed later with nothing changed by the caller.
        http_status: what an HTTP door answers with.
        message: one sentence that says what is wrong and how to mend it.
        field: the input field at fault, as a dotted path; None when no single field is.
    """

    error_type: ClassVar[ErrorType]
    retryable: bool = False
    http_status: ClassVar[int]

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        """Return `field: message`, or the message alone when no field is at fault."""
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidInputError(RemitError):
    """The caller's data cannot be accepted as it is; `faults` lists all that was found wrong."""

    error_type: ClassVar[ErrorType] = "invalid_input"
    http_status = 422

    def __init__(
        self, message: str, *, field: str | None = None, faults: Sequence[str] = ()
    ) -> None:
        super().__init__(message, field=field)
        self.faults = tuple(faults)


class NotFoundError(RemitError):
    """Nothing has the identifier that the caller gave."""

    error_type = "not_found"
    http_status = 404


class ConflictError(RemitError):
    """The call is well formed, but the present state does not allow it."""

    error_type: ClassVar[ErrorType] = "conflict"
    http_status = 409


class IllegalTransitionError(ConflictError):
    """A status may not follow another; the lifecycle tables say which may."""

    error_type = "illegal_transition"


class UnauthenticatedError(RemitError):
    """It is not known who calls: there is no token, or it does not hold."""

    error_type = "unauthenticated"
    http_status = 401


class ForbiddenError(RemitError):
    """The caller is known, and may not do this."""

    error_type = "forbidden"
    http_status = 403


class UnverifiableError(RemitError):
    """What was signed does not verify: it is damaged, forged, or signed by a key not trusted."""

    error_type = "unverifiable"
    http_status = 422


class UnreadableError(RemitError):
    """A row of the database holds what no writer of Remit's writes, and no reader can hold.

    Whatever is about that row alone waits until somebody has looked at it; all else goes on.
    """

    error_type = "unreadable"
    http_status = 500


class RuleViolationError(RemitError):
    """A rule of the database refused what was about to be written; nothing was.

    No operation asks for that: somebody else wrote rows meanwhile, or changed them past Remit.
    """

    error_type = "rule_violation"
    http_status = 409


class UnavailableError(RemitError):
    """A service that Remit stands on does not answer; nothing was written."""

    error_type: ClassVar[ErrorType] = "unavailable"
    retryable = True
    http_status = 503


class PolicyUnconfirmedError(UnavailableError):
    """No operator has confirmed the policy in force, so nothing is decided or started under it."""

    error_type = "policy_unconfirmed"


class MisconfiguredError(RemitError):
    """The installation itself must be changed before the call can succeed."""

    error_type = "misconfigured"
    http_status = 500


class ProviderError(RemitError):
    """An outside part that can be chosen (an object store, a model) did not do what it was asked.

    `reason` is a word of that kind of provider's closed list.
    """

    error_type = "provider"
    http_status = 502

    def __init__(self, message: str, *, reason: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.retryable = retryable
