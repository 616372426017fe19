"""What makes a reader one that only reads, and leaves a record of every read.

`readonly_method` marks the answer to a question: it holds the question's bounds, records who asked
what, and lets nothing out that was not recorded. `verify_readonly_interface` finds a reader that
could write; the tests hold every reader to it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from remit.base.json_types import JsonObject
from remit.base.wording import listed, quoted
from remit.errors import InvalidInputError, MisconfiguredError
from remit.memory.queries import QUESTIONS, Question, recorded
from remit.memory.results import Answer, MemoryReadResult
from remit.memory.write_indicators import MARK, find_write_indicators
from remit.vocabulary import ReadOutcome


@dataclass(frozen=True, slots=True)
class MemoryAccessAttempt:
    """One read of memory, as it is recorded.

    Attributes:
        principal: in whose name memory was read.
        reader: the reader that was asked.
        query_name: the question.
        asked: its parameters, redacted.
        outcome: how it ended.
        result_count: how many results there were; None unless it was answered.
    """

    principal: str
    reader: str
    query_name: str
    asked: JsonObject
    outcome: ReadOutcome
    result_count: int | None


class _Recording(Protocol):
    """A reader, as its marked methods see it."""

    @property
    def name(self) -> str: ...

    @property
    def principal(self) -> str: ...

    _record: Callable[[MemoryAccessAttempt], None]


_Reader = TypeVar("_Reader", bound=_Recording)
_Parameters = ParamSpec("_Parameters")
_Answered = TypeVar("_Answered")
_Method = Callable[Concatenate[_Reader, _Parameters], _Answered]


def readonly_method(
    query_name: str,
) -> Callable[[_Method[_Reader, _Parameters, _Answered]], _Method[_Reader, _Parameters, _Answered]]:
    """Mark a reader's method as the answer to one question.

    The method is called with parameters within bounds only. The attempt goes to the reader's
    `_record` once the read is over and before its answer is handed on: what cannot be recorded is
    not answered.

    Raises:
        InvalidInputError: there is no such question.
    """
    question = _question(query_name)

    def mark(
        method: _Method[_Reader, _Parameters, _Answered],
    ) -> _Method[_Reader, _Parameters, _Answered]:
        @wraps(method)
        def read(
            self: _Reader, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
        ) -> _Answered:
            attempt = MemoryAccessAttempt(
                self.principal,
                self.name,
                query_name,
                _asked(question, args, kwargs),
                outcome="failed",
                result_count=None,
            )

            def within_bounds() -> _Answered:
                question(*args, **kwargs)
                return method(self, *args, **kwargs)

            return _on_record(attempt, self._record, within_bounds, question.answer)

        setattr(read, MARK, query_name)
        return read

    return mark


def _on_record(
    attempt: MemoryAccessAttempt,
    record: Callable[[MemoryAccessAttempt], None],
    read: Callable[[], _Answered],
    kind: type[Answer],
) -> _Answered:
    """Return what a read answers, after it was recorded with what became of it."""
    try:
        answered = read()
        result = MemoryReadResult.of(attempt.query_name, answered, kind)
    except InvalidInputError:
        record(replace(attempt, outcome="refused"))
        raise
    except Exception:
        record(attempt)
        raise
    record(replace(attempt, outcome="answered", result_count=result.result_count))
    return answered


def verify_readonly_interface(cls: type) -> None:
    """Return quietly when nothing in a reader's interface or source writes.

    This finds mistakes. Code that is built to deceive it meets the two other locks: the rights of
    the role `remit_reader`, and transactions that only read.

    Args:
        cls: the class of a reader.

    Raises:
        MisconfiguredError: something does; the message lists all of it.
    """
    found = find_write_indicators(cls)
    if found:
        raise MisconfiguredError(f"{cls.__name__} does not only read: {'; '.join(found)}")


def _question(query_name: str) -> type[Question]:
    """Return the question of a name; see :func:`readonly_method` for the error."""
    question = QUESTIONS.get(query_name)
    if question is None:
        raise InvalidInputError(
            f"{quoted(query_name)} is no question of memory; they are {listed(QUESTIONS, 'and')}",
            field="query_name",
        )
    return question


def _asked(
    question: type[Question], args: tuple[object, ...], kwargs: dict[str, object]
) -> JsonObject:
    """Return the parameters of a call under the names that the question gives them."""
    names = [each.name for each in fields(question)]
    return recorded(dict(zip(names, args, strict=False)) | kwargs)
