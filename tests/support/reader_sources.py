"""What in the source of a reader of memory could write.

The source is judged as a whole module for each class of the reader's ancestry: a helper beside the
class writes as well as the class would. `remit.memory.enforcement` judges the interface.
"""

import ast
import inspect
import re
from collections.abc import Iterator

from remit.errors import MisconfiguredError
from remit.memory.enforcement import verify_readonly_interface

# Fewer than the verbs that no name may have: a reader may call what appends to a list.
_CALLS = frozenset(
    {
        *("alter", "begin", "commit", "create", "delete", "drop", "emit", "flush", "insert"),
        *("merge", "remember", "remove", "save", "store", "transaction", "transition", "truncate"),
        *("update", "upsert", "write"),
    }
)
_DYNAMIC = frozenset(
    {"__import__", "compile", "eval", "exec", "getattr", "import_module", "setattr"}
)
_WRITERS = re.compile(
    r"(?:^|\.)mutator$|^remit\.(?:operations|control|workflows|stack|cli)(?:\.|$)"
)
_WRITING_SQL = re.compile(
    r"\b(?:insert\s+into|update\s+(?:only\s+)?\S+\s+(?:as\s+\S+\s+)?set|delete\s+from|merge\s+into"
    r"|truncate\s|(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:unique\s+|temp\s+)?[a-z]+\s"
    r"|grant\s.+\sto|revoke\s.+\sfrom|copy\s+\S+\s+(?:from|to)|call\s+\w+\s*\(|do\s+\$|lock\s+table"
    r"|select\s.*\sinto\s|nextval|setval|lo_\w+\s*\(|pg_notify|notify\s"
    r"|for\s+(?:no\s+key\s+)?update|for\s+(?:key\s+)?share|read\s+write|set\s+role)",
    re.IGNORECASE | re.DOTALL,
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def verify_reader(cls: type) -> None:
    """Return quietly when nothing in a reader's interface or source writes.

    Raises:
        MisconfiguredError: something does; the message lists all of it.
    """
    says, found = f"{cls.__name__} does not only read: ", list[str]()
    try:
        verify_readonly_interface(cls)
    except MisconfiguredError as error:
        found += error.message.removeprefix(says).split("; ")
    judged = {each.__module__: each for each in reversed(cls.__mro__)}
    for module, each in judged.items():
        if module not in {"builtins", "typing", "abc"}:
            found += _of_source(each)
    if found:
        raise MisconfiguredError(says + "; ".join(dict.fromkeys(found)))


def _of_source(cls: type) -> Iterator[str]:
    """Yield what the module of a class does that writes."""
    module = inspect.getmodule(cls)
    try:
        tree = ast.parse(inspect.getsource(module)) if module else None
    except (OSError, TypeError):
        tree = None
    if tree is None:
        yield f"the source of {cls.__name__} cannot be read"
        return
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _of_import(node)
        elif isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Constant) and id(node) not in spoken:
            yield from _of_constant(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _of_assignment(node)


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    parent = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        whole = f"{parent}{alias.name}"
        # `from remit.directives import mutator` names a module by its last part.
        if any(_WRITERS.search(each) for each in (parent.rstrip("."), whole)):
            yield f"line {node.lineno} imports {whole}"
        elif parent and _words(alias.name) & _CALLS:
            yield f"line {node.lineno} imports {alias.name}"


def _of_call(node: ast.Call) -> Iterator[str]:
    called = _last_name(node.func)
    if called in _DYNAMIC or _words(called) & _CALLS:
        yield f"line {node.lineno} calls {called}"


def _of_constant(node: ast.Constant) -> Iterator[str]:
    if isinstance(node.value, bytes):
        text = node.value.decode("utf-8", "replace")
    elif isinstance(node.value, str):
        text = node.value
    else:
        return
    written = _WRITING_SQL.search(text)
    if written:
        yield f"line {node.lineno} holds SQL that writes: {' '.join(written[0].split()).lower()}"


def _of_assignment(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if (
            isinstance(target, ast.Attribute)
            and _last_name(target.value) == "self"
            and not target.attr.startswith("_")
        ):
            yield f"line {node.lineno} keeps {target.attr} under a public name"


def _last_name(node: ast.expr) -> str:
    """Return `c` for `c`, `b.c` and `a().b.c`; "" for what has no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}
