"""What makes a reader one that only reads, and leaves a record of every read.

`readonly_method` marks the answer to a question: it holds the question's bounds, records who asked
what, and lets nothing out that was not recorded. `verify_readonly_interface` finds a reader that
could write; the tests hold every reader to it.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import wraps
from types import FunctionType, MemberDescriptorType
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from remit.base.json_types import JsonObject
from remit.base.wording import listed, quoted
from remit.errors import InvalidInputError, MisconfiguredError
from remit.memory.queries import QUESTIONS, Question, recorded
from remit.memory.results import Answer, MemoryReadResult
from remit.vocabulary import ReadOutcome

_MARK = "__remit_question__"

# Words that no method of a reader may have in its name.
_WRITE_VERBS = frozenset(
    {
        *("add", "alter", "append", "commit", "copy", "create", "delete", "drop", "emit"),
        *("execute", "grant", "import", "insert", "load", "merge", "mutate", "patch", "post"),
        *("publish", "purge", "push", "put", "record", "register", "remember", "remove", "rename"),
        *("replace", "reset", "revoke", "run", "save", "send", "set", "start", "store", "submit"),
        *("transition", "truncate", "update", "upload", "upsert", "write"),
    }
)
_OPEN = frozenset({"__call__", "__enter__", "__getattr__", "__getattribute__", "__getitem__"})
_HANDLES = frozenset(
    {"conn", "connect", "connection", "cursor", "database", "db", "engine", "pool", "session"}
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DATA = (str, int, float, bool, tuple, frozenset, type(None))


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

        setattr(read, _MARK, query_name)
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
    """Return quietly when nothing that a reader's class shows could write.

    This finds mistakes. Code that is built to deceive it meets the two other locks: the rights of
    the role `remit_reader`, and transactions that only read.

    Raises:
        MisconfiguredError: something could; the message lists all of it.
    """
    found: list[str] = []
    overridden: frozenset[str] = frozenset()
    for each in cls.__mro__:
        if each.__module__ not in {"builtins", "typing", "abc"}:
            found += _offences(each, overridden)
            overridden |= vars(each).keys()
    if found:
        told = "; ".join(dict.fromkeys(found))
        raise MisconfiguredError(f"{cls.__name__} does not only read: {told}")


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


def _offences(cls: type, overridden: frozenset[str]) -> Iterator[str]:
    """Yield what the names and the kinds of a class's own members give away."""
    for name, member in vars(cls).items():
        if name in overridden:
            continue
        if name in _OPEN:
            yield f"{name} opens it to what it does not declare"
        if name.startswith("__"):
            continue
        if isinstance(member, staticmethod | classmethod):
            yield from _of_method(name, member.__func__)
        elif isinstance(member, FunctionType):
            yield from _of_method(name, member)
        elif not name.startswith("_"):
            yield from _of_attribute(name, member)
    for name in inspect.get_annotations(cls):
        if not name.startswith("_") and _words(name) & _HANDLES:
            yield f"{name} hands out the database"


def _of_method(name: str, method: object) -> Iterator[str]:
    verbs = _words(name) & _WRITE_VERBS
    if verbs:
        yield f"the name of {name} says {min(verbs)}"
    if not name.startswith("_") and not hasattr(method, _MARK):
        yield f"{name} is public and answers no question"


def _of_attribute(name: str, member: object) -> Iterator[str]:
    if _words(name) & _HANDLES:
        yield f"{name} hands out the database"
    elif not isinstance(member, (property, MemberDescriptorType, *_DATA)):
        yield f"{name} is neither a question nor plain data"


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}
