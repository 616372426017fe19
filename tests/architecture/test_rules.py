"""Each house rule finds what it forbids and leaves alone what it allows."""

import ast
import textwrap

import pytest

from tests.architecture import rules
from tests.architecture.rules import Rule
from tests.architecture.status_rule import one_mutator_a_status

GOOD: list[tuple[Rule, str]] = [
    (rules.has_docstring, '"""Purpose."""\nx = 1'),
    (rules.is_signpost, '"""Names.\n\nname -> module\n"""'),
    (rules.is_signpost, ""),
    (rules.short_functions, "def f():\n" + "    x = 1\n" * 39),
    (rules.short_functions, "@decorate(\n" + "    1,\n" * 50 + ")\ndef f():\n    pass"),
    (rules.no_environment, "import os\nos.getpid()"),
    (rules.no_environment, "environ = {}\nenviron['HOME']"),
    (rules.no_engine_at_import, "def make(url):\n    return create_engine(url)"),
    (rules.no_engine_at_import, "make = lambda url: create_engine(url)"),
    (rules.no_mutable_global, "A = (1, 2)\nB = frozenset({1})\nC: int = 3"),
    (rules.no_mutable_global, "A: Mapping[str, int] = {'a': 1}"),
    (rules.no_mutable_global, "A: Final[Mapping[str, int]] = {'a': 1}"),
    (rules.no_mutable_global, "A: typing.Sequence[str] = ['a']"),
    (rules.no_mutable_global, "A = MappingProxyType({'a': 1})"),
    (rules.no_mutable_global, "__all__ = ['a']"),
    (rules.no_mutable_global, "def f():\n    found = []\n    return found"),
    (rules.no_clock, "def f(now):\n    return now + timedelta(seconds=1)"),
    (rules.no_ai_runtime, "import ai_tools\nx = 'runtime'"),
    (one_mutator_a_status, "insert(directives).values(status='draft')"),
    (one_mutator_a_status, "update(directives).values(updated_at=func.now())"),
    (one_mutator_a_status, "update(execution_runs).where(x).values({'attempt': 2})"),
    (one_mutator_a_status, "update(approval_requests).values(status='expired')"),
    (one_mutator_a_status, "tables.grants.update().values(**columns)"),
    (one_mutator_a_status, "insert(artifacts).on_conflict_do_update(set_={'status': 1})"),
    (one_mutator_a_status, "connection.execute(update(directives), [{'id': 1}])"),
    (one_mutator_a_status, "'UPDATE directives SET payload = 1 WHERE status = 2'"),
    (one_mutator_a_status, "'UPDATE directives SET status_reason = NULL'"),
    (one_mutator_a_status, "'UPDATE approval_requests SET status = 1'"),
    (one_mutator_a_status, "found.update(status=1)\nfound.values()"),
]

BAD: list[tuple[Rule, str]] = [
    (rules.has_docstring, "x = 1"),
    (rules.has_docstring, '"""   """'),
    (rules.is_signpost, '"""Names."""\nfrom remit import x'),
    (rules.is_signpost, "import os"),
    (rules.short_functions, "def f():\n" + "    x = 1\n" * 40),
    (rules.short_functions, "class C:\n    async def f(self):\n" + "        x = 1\n" * 40),
    (rules.no_environment, "import os\nos.environ['HOME']"),
    (rules.no_environment, "def f():\n    return os.getenv('HOME')"),
    (rules.no_environment, "from os import environ as e"),
    (rules.no_engine_at_import, "engine = create_engine('x')"),
    (rules.no_engine_at_import, "class Db:\n    engine = sa.create_engine('x')"),
    (rules.no_engine_at_import, "def f(engine=create_engine('x')):\n    pass"),
    (rules.no_engine_at_import, "@uses(create_async_engine('x'))\ndef f():\n    pass"),
    (rules.no_mutable_global, "CACHE = {}"),
    (rules.no_mutable_global, "CACHE: dict[str, int] = {}"),
    (rules.no_mutable_global, "CACHE: Final[dict[str, int]] = dict()"),
    (rules.no_mutable_global, "SEEN = [x for x in y]"),
    (rules.no_mutable_global, "if DEBUG:\n    SEEN = set()"),
    (rules.no_mutable_global, "try:\n    pass\nfinally:\n    SEEN = collections.deque()"),
    (rules.no_mutable_global, "def f():\n    global COUNT\n    COUNT = 1"),
    (rules.no_clock, "datetime.now(UTC)"),
    (rules.no_clock, "def f():\n    return time.monotonic()"),
    (rules.no_ai_runtime, "from ai.runtime import roles"),
    (rules.no_ai_runtime, "import ai.runtime.roles"),
    (rules.no_ai_runtime, "open('ai/runtime/roles/planner.md')"),
    (one_mutator_a_status, "update(directives).where(x).values(status='approved')"),
    (one_mutator_a_status, "sa.update(tables.directives).values({'status': 'approved'})"),
    (one_mutator_a_status, "execution_runs.update().values(status='failed')"),
    (one_mutator_a_status, "update(directives).values({directives.c.status: 'approved'})"),
    (one_mutator_a_status, "update(directives).values(dict(status='approved'))"),
    (one_mutator_a_status, "update(directives).values(**columns)"),
    (one_mutator_a_status, "update(directives).values(columns)"),
    (one_mutator_a_status, "update(directives).values({**columns, 'scope': 1})"),
    (one_mutator_a_status, "update(directives).ordered_values(('status', 'approved'))"),
    (one_mutator_a_status, "update(alias).values(status='approved').returning(alias.c.id)"),
    (one_mutator_a_status, "insert(directives).on_conflict_do_update(set_={'status': 1})"),
    (
        one_mutator_a_status,
        "insert(directives).values(a=1).on_conflict_do_update(index_elements=['id'], set_=new)",
    ),
    (one_mutator_a_status, "connection.execute(update(directives), [{'status': 'approved'}])"),
    (
        one_mutator_a_status,
        "c.execute(update(directives).where(x == bindparam('i')), {'i': 1, 'status': 2})",
    ),
    (one_mutator_a_status, "'UPDATE directives SET status = 1'"),
    (one_mutator_a_status, "'update only public.execution_runs r set x = 1, status=$1'"),
    (one_mutator_a_status, "'UPDATE directives SET (scope, status) = (1, 2) WHERE id = 3'"),
    (one_mutator_a_status, "f'UPDATE directives SET scope = {scope}, status = {status}'"),
]


def _names(table: list[tuple[Rule, str]]) -> list[str]:
    return [f"{rule.__name__}-{number}" for number, (rule, _) in enumerate(table)]


@pytest.mark.parametrize(("rule", "snippet"), GOOD, ids=_names(GOOD))
def test_a_rule_leaves_alone_what_it_allows(rule: Rule, snippet: str) -> None:
    assert list(rule(ast.parse(textwrap.dedent(snippet)))) == []


@pytest.mark.parametrize(("rule", "snippet"), BAD, ids=_names(BAD))
def test_a_rule_finds_what_it_forbids(rule: Rule, snippet: str) -> None:
    assert list(rule(ast.parse(textwrap.dedent(snippet)))) != []


def test_every_rule_has_a_good_and_a_bad_snippet() -> None:
    good, bad = ({rule for rule, _ in table} for table in (GOOD, BAD))
    assert good == bad


def test_a_violation_names_the_line_it_is_on() -> None:
    (violation,) = rules.no_environment(ast.parse("import os\n\nx = os.environ"))
    assert violation.line == 3
