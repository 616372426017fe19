"""What makes a reader one that only reads, and leaves a record of every read.

`readonly_method` marks the answer to a question. `verify_readonly_interface` finds a reader that
could write; the tests hold every reader to it, and its source too.
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
from remit.memory.results import MemoryReadResult
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
    """One read of memory in a principal's name, as it is recorded.

    `asked` holds the redacted parameters; `result_count` is None unless it was answered.
    """

    principal: str
    reader: str
    query_name: str
    asked: JsonObject
    outcome: ReadOutcome
    result_count: int | None


class _Recording(Protocol):
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
    """
    question = _question(query_name)
    names = [each.name for each in fields(question)]

    def mark(
        method: _Method[_Reader, _Parameters, _Answered],
    ) -> _Method[_Reader, _Parameters, _Answered]:
        @wraps(method)
        def read(
            self: _Reader, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
        ) -> _Answered:
            asked = recorded(dict(zip(names, args, strict=False)) | kwargs)
            attempt = MemoryAccessAttempt(
                self.principal, self.name, query_name, asked, outcome="failed", result_count=None
            )
            try:
                question(*args, **kwargs)
                answered = method(self, *args, **kwargs)
                count = MemoryReadResult.of(query_name, answered, question.answer).result_count
            except InvalidInputError:
                self._record(replace(attempt, outcome="refused"))
                raise
            except Exception:
                self._record(attempt)
                raise
            self._record(replace(attempt, outcome="answered", result_count=count))
            return answered

        setattr(read, _MARK, query_name)
        return read

    return mark


def _question(query_name: str) -> type[Question]:
    question = QUESTIONS.get(query_name)
    if question is None:
        raise InvalidInputError(
            f"{quoted(query_name)} is no question of memory; they are {listed(QUESTIONS, 'and')}",
            field="query_name",
        )
    return question


def verify_readonly_interface(cls: type) -> None:
    """Return quietly when nothing that a reader's class shows could write.

    This finds mistakes. Code that is built to deceive it meets the two other locks: the rights of
    the role `remit_reader`, and transactions that only read.
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


def _offences(cls: type, overridden: frozenset[str]) -> Iterator[str]:
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
