"""What in the class of a reader could write, be it by name, by what it exposes, or by its source.

`remit.memory.enforcement` calls this. The source is judged as a whole module for each class of the
reader's ancestry: a helper beside the class writes as well as the class would.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from types import FunctionType, MemberDescriptorType

MARK = "__remit_question__"
"""The attribute by which a method says which question it answers."""

WRITE_VERBS = frozenset(
    {
        *("add", "alter", "append", "commit", "copy", "create", "delete", "drop", "emit"),
        *("execute", "grant", "import", "insert", "load", "merge", "mutate", "patch", "post"),
        *("publish", "purge", "push", "put", "record", "register", "remember", "remove", "rename"),
        *("replace", "reset", "revoke", "run", "save", "send", "set", "start", "store", "submit"),
        *("transition", "truncate", "update", "upload", "upsert", "write"),
    }
)
"""Words that no method of a reader may have in its name."""

# Fewer than above: a reader may call what appends to a list.
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
_OPEN = frozenset({"__call__", "__enter__", "__getattr__", "__getattribute__", "__getitem__"})
_HANDLES = frozenset(
    {"conn", "connect", "connection", "cursor", "database", "db", "engine", "pool", "session"}
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
_DATA = (str, int, float, bool, tuple, frozenset, type(None))


def find_write_indicators(cls: type) -> list[str]:
    """Return what in a class could write, each in a few words; nothing when it only reads."""
    ancestry = [
        each for each in cls.__mro__ if each.__module__ not in {"builtins", "typing", "abc"}
    ]
    found: list[str] = []
    modules: list[str] = []
    overridden: frozenset[str] = frozenset()
    for each in ancestry:
        found += _of_interface(each, overridden)
        overridden |= vars(each).keys()
        if each.__module__ not in modules:
            modules.append(each.__module__)
            found += _of_source(each)
    return list(dict.fromkeys(found))


def _of_interface(cls: type, overridden: frozenset[str]) -> Iterator[str]:
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
    verbs = _words(name) & WRITE_VERBS
    if verbs:
        yield f"the name of {name} says {min(verbs)}"
    if not name.startswith("_") and not hasattr(method, MARK):
        yield f"{name} is public and answers no question"


def _of_attribute(name: str, member: object) -> Iterator[str]:
    if _words(name) & _HANDLES:
        yield f"{name} hands out the database"
    elif not isinstance(member, (property, MemberDescriptorType, *_DATA)):
        yield f"{name} is neither a question nor plain data"


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
