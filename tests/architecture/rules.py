"""The house rules that a syntax tree can prove, one function each.

`test_house_rules.py` runs every rule over the sources, and `test_rules.py` proves each rule on good
and bad snippets. A rule takes a parsed module and yields what breaks it; which files it holds for
is decided by its caller. `status_rule.py` holds the one rule that needs a page of its own.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

Rule = Callable[[ast.Module], Iterator["Violation"]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

ENVIRONMENT_NAMES = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})
ENGINE_MAKERS = frozenset({"create_engine", "create_async_engine", "create_database_engine"})
MUTABLE_MAKERS = frozenset(
    {"Counter", "OrderedDict", "bytearray", "defaultdict", "deque", "dict", "list", "set"}
)
READ_ONLY_TYPES = frozenset({"Collection", "Iterable", "Mapping", "Sequence", "AbstractSet"})
CLOCK_CALLS = frozenset({"monotonic", "now", "perf_counter", "time", "time_ns", "today", "utcnow"})


@dataclass(frozen=True, order=True)
class Violation:
    """One place that breaks a rule.

    Attributes:
        line: the line of the file, counted from 1.
        message: what is wrong there and what to do instead.
    """

    line: int
    message: str


def last_name(node: ast.expr) -> str:
    """Return `c` for `c`, `b.c` and `a.b.c`; "" for what has no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def has_docstring(tree: ast.Module) -> Iterator[Violation]:
    """Every module says its purpose."""
    if not (ast.get_docstring(tree) or "").strip():
        yield Violation(1, "a module starts with a docstring: its purpose and who calls it")


def is_signpost(tree: ast.Module) -> Iterator[Violation]:
    """A package's `__init__` is a docstring and nothing else."""
    for statement in tree.body[1:] if ast.get_docstring(tree) else tree.body:
        yield Violation(statement.lineno, "a package's __init__ holds its docstring alone")


def short_functions(tree: ast.Module) -> Iterator[Violation]:
    """A function is at most 40 lines from `def` to its end; decorators are not counted."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield Violation(
                    node.lineno, f"{node.name} has {lines} lines, over {MAX_FUNCTION_LINES}"
                )


def no_environment(tree: ast.Module) -> Iterator[Violation]:
    """The environment is read in `remit.settings` alone."""
    message = "only remit.settings reads the environment; a door passes values down"
    for node in ast.walk(tree):
        names: set[str] = set()
        if isinstance(node, ast.Attribute) and last_name(node.value) == "os":
            names = {node.attr}
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {alias.name for alias in node.names}
        if names & ENVIRONMENT_NAMES:
            yield Violation(getattr(node, "lineno", 1), message)


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: everything but the bodies of functions."""
    yield node
    if isinstance(node, ast.Lambda):
        return
    children: Iterator[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, Function):
        children = iter((*node.decorator_list, node.args))
    for child in children:
        yield from _run_at_import(child)


def no_engine_at_import(tree: ast.Module) -> Iterator[Violation]:
    """No database engine is made when a module is imported; engines are passed."""
    for node in _run_at_import(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in ENGINE_MAKERS:
            yield Violation(node.lineno, "no engine is made at import: take one as an argument")


def _is_mutable(value: ast.expr | None) -> bool:
    literals = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    if isinstance(value, ast.Call):
        return last_name(value.func) in MUTABLE_MAKERS
    return isinstance(value, literals)


def _reads_only(annotation: ast.expr) -> bool:
    inner = annotation
    while isinstance(inner, ast.Subscript):
        if last_name(inner.value) in READ_ONLY_TYPES:
            return True
        inner = inner.slice
    return last_name(inner) in READ_ONLY_TYPES


def _module_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module's own scope, those under `if` and `try` included."""
    for statement in body:
        yield statement
        for field in ("body", "orelse", "finalbody"):
            if isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While):
                yield from _module_statements(getattr(statement, field, []))


def no_mutable_global(tree: ast.Module) -> Iterator[Violation]:
    """A module holds constants: no container that can change, and no `global` statement."""
    message = "freeze it (tuple, frozenset), or annotate it as Mapping or Sequence"
    for statement in _module_statements(tree.body):
        if isinstance(statement, ast.Assign):
            exempt = all(last_name(target).startswith("__") for target in statement.targets)
        elif isinstance(statement, ast.AnnAssign):
            exempt = _reads_only(statement.annotation)
        else:
            continue
        if _is_mutable(statement.value) and not exempt:
            yield Violation(statement.lineno, f"a mutable module-level name: {message}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield Violation(node.lineno, "no global statement: pass the state")


def no_clock(tree: ast.Module) -> Iterator[Violation]:
    """A rule reads no clock: the time is passed in."""
    for node in ast.walk(tree):
        method = node.func if isinstance(node, ast.Call) else None
        if isinstance(method, ast.Attribute) and method.attr in CLOCK_CALLS:
            yield Violation(method.lineno, "a rule reads no clock: take the time as an argument")


def no_ai_runtime(tree: ast.Module) -> Iterator[Violation]:
    """Nothing reads the documents of `ai/runtime/`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "ai/runtime" in node.value:
                yield Violation(node.lineno, "nothing reads ai/runtime")
        elif isinstance(node, ast.Import):
            if any(alias.name.startswith("ai.runtime") for alias in node.names):
                yield Violation(node.lineno, "nothing imports ai.runtime")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ai.runtime"):
            yield Violation(node.lineno, "nothing imports ai.runtime")
