"""One mutator for each status column: the rule that finds every other writer.

Rows of `directives` and `execution_runs` change their status only in `directives/mutator.py` and
`execution/mutator.py`. The rule reads SQLAlchemy's `update(...)`, upserts and SQL text. A statement
whose columns it cannot read (a dictionary built elsewhere) counts as a writer: write the columns
out. An `insert(...)` is free, since a row has to start somewhere.
"""

import ast
import re
from collections.abc import Iterator

from tests.architecture.rules import Violation, last_name

FREE_TABLES = frozenset(
    {
        "agent_roles",
        "approval_requests",
        "approval_votes",
        "artifacts",
        "events",
        "grants",
        "memories",
        "memory_embeddings",
    }
)
"""The other tables. A name in neither list may be an alias, so it counts as governed."""

_SQL_UPDATE = re.compile(
    r"\bupdate\s+(?:only\s+)?(?:\w+\.)?\"?(?:directives|execution_runs)\b.*?\bset\b(.*)",
    re.IGNORECASE | re.DOTALL,
)
_SETS_STATUS = re.compile(r"\bstatus\b\"?\s*=|\([^()]*\bstatus\b[^()]*\)\s*=", re.IGNORECASE)
_MESSAGE = "the status of directives and execution_runs is written by their mutators alone"


def one_mutator_a_status(tree: ast.Module) -> Iterator[Violation]:
    """No statement writes a governed status column, or hides which columns it writes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _in_call(node)
        elif isinstance(node, ast.JoinedStr | ast.Constant) and _sql_sets_status(node):
            yield Violation(node.lineno, _MESSAGE)


def _in_call(call: ast.Call) -> Iterator[Violation]:
    name = last_name(call.func)
    if name == "on_conflict_do_update":
        upserts = [keyword.value for keyword in call.keywords if keyword.arg == "set_"]
        if _is_governed(_target(call, "insert")) and any(map(_may_set_status, upserts)):
            yield Violation(call.lineno, _MESSAGE)
    elif name in {"values", "ordered_values"} and _is_governed(_target(call, "update")):
        if any(map(_may_set_status, call.args)) or any(map(_keyword_may, call.keywords)):
            yield Violation(call.lineno, _MESSAGE)
    elif name in {"execute", "executemany"} and len(call.args) > 1:
        targets = (_target(node, "update") for node in _calls(call.args[0]))
        if any(map(_is_governed, targets)) and _sets_status(call.args[1]):
            yield Violation(call.lineno, _MESSAGE)


def _calls(node: ast.expr) -> list[ast.Call]:
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]


def _target(call: ast.Call, verb: str) -> str | None:
    """Return the table's name in the chain `update(table)...` or `table.update()...` of `call`.

    Returns:
        None when the chain holds no `verb`; "" when the table has no plain name.
    """
    node: ast.expr = call
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call) and last_name(node.func) == verb:
            if node.args:
                return last_name(node.args[0])
            return last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        node = node.func if isinstance(node, ast.Call) else node.value
    return None


def _is_governed(table: str | None) -> bool:
    return table is not None and table not in FREE_TABLES


def _is_status(key: ast.expr | None) -> bool:
    if isinstance(key, ast.Constant):
        return key.value == "status"
    return isinstance(key, ast.Attribute) and key.attr == "status"


def _keyword_may(keyword: ast.keyword) -> bool:
    return _may_set_status(keyword.value) if keyword.arg is None else keyword.arg == "status"


def _may_set_status(value: ast.expr) -> bool:
    """Return whether a mapping of columns writes `status`, or cannot be read."""
    if isinstance(value, ast.Dict):
        return any(key is None or _is_status(key) for key in value.keys)
    if isinstance(value, ast.Call) and last_name(value.func) == "dict":
        return bool(value.args) or any(map(_keyword_may, value.keywords))
    if isinstance(value, ast.Tuple):  # one pair of ordered_values
        return bool(value.elts) and _is_status(value.elts[0])
    return True


def _sets_status(rows: ast.expr) -> bool:
    return any(
        _is_status(key)
        for node in ast.walk(rows)
        if isinstance(node, ast.Dict)
        for key in node.keys
    )


def _sql_sets_status(node: ast.JoinedStr | ast.Constant) -> bool:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else " ? "
        for part in parts
    )
    found = _SQL_UPDATE.search(text)
    if found is None:
        return False
    columns = re.split(r"\b(?:where|from|returning)\b", found[1], maxsplit=1, flags=re.IGNORECASE)
    return bool(_SETS_STATUS.search(columns[0]))
