"""Calls that end in time, whatever they do: raise, exit, or never come back.

`guarded` makes every call of a provider through here. A call runs in a thread of its own that keeps
no process alive; when it is late it is left to itself. How many may be left like that at once is
bounded: while all of them hang, further calls are refused instead of made.

What no thread can stop is not stopped: code that ends the process itself (`os._exit`), or that
holds the interpreter's lock.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Semaphore, Thread
from typing import Generic, Literal, TypeVar

from remit.base.wording import one_line
from remit.errors import ProviderError
from remit.redaction.masking import redact_text

_T = TypeVar("_T")

CallFault = Literal["raised", "late", "busy"]
"""Why there is no answer: the call raised · did not come back in time · too many hang already."""


class CallFailedError(Exception):
    """A call gave no answer.

    Attributes:
        fault: why.
        detail: the kind of error and, for one of Remit's own kinds, its message; without secrets.
    """

    def __init__(self, fault: CallFault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


class BoundedCalls:
    """Makes calls, each in a thread of its own."""

    def __init__(self, *, timeout_seconds: float, at_once: int) -> None:
        """Say how long, and how many.

        Args:
            timeout_seconds: longest wait for one call.
            at_once: how many calls may be under way, those that are late included.
        """
        self._timeout_seconds = timeout_seconds
        self._free = Semaphore(at_once)

    def run(self, call: Callable[[], _T]) -> _T:
        """Return what a call returns.

        Raises:
            CallFailedError: it returned nothing; nothing that it raised passes, not even an exit.
        """
        if not self._free.acquire(blocking=False):
            raise CallFailedError("busy", "earlier calls still hang")
        under_way = _Call(call, self._free)
        try:
            Thread(target=under_way.run, name="remit-evaluation-call", daemon=True).start()
        except RuntimeError as error:
            self._free.release()
            raise CallFailedError("busy", "no thread can be started") from error
        if not under_way.ended.wait(self._timeout_seconds):
            raise CallFailedError("late", f"no answer within {self._timeout_seconds:g} seconds")
        for answer in under_way.answers:
            return answer
        raise CallFailedError("raised", under_way.detail)


class _Call(Generic[_T]):
    """One call, and what came of it."""

    def __init__(self, call: Callable[[], _T], free: Semaphore) -> None:
        self._call = call
        self._free = free
        self.ended = Event()
        self.answers: list[_T] = []
        self.detail = "an error that cannot be described"

    def run(self) -> None:
        """Make the call, and note its answer or its error."""
        try:
            self.answers.append(self._call())
        except BaseException as error:  # noqa: BLE001 - an exit in there must not be one out here
            # To describe an error runs its code.
            with suppress(BaseException):
                self.detail = _described(error)
        finally:
            self._free.release()
            self.ended.set()


def _described(error: BaseException) -> str:
    kind = type(error).__name__
    # The message of anybody else's error may quote a request, and with it the key.
    words = f"{kind}: {error.message}" if isinstance(error, ProviderError) else kind
    return one_line(redact_text(words), 300)
