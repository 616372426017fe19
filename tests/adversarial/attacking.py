"""What attacks need: a worker's hands, modules that count their effects, and a forger's.

"Executed" is told by a module's effect and never by a status, which is what attackers forge.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from temporalio.testing import ActivityEnvironment

from remit.artifacts.noop import NoOpObjectStore
from remit.directives.models import DirectiveRead
from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.registry import ModuleInfo, ModuleRegistry, discover_modules
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.execution.workers import Terms
from remit.operations.evidence.records import find_leftovers, read_record
from remit.operations.gate import proposals
from remit.operations.gate.policies import PolicySource
from remit.operations.runs import beginning, starts
from remit.operations.runs.workers import announce
from remit.policy.config import PolicyConfig
from remit.vocabulary import ModuleKind
from remit.workflows.activities import attempts
from remit.workflows.activities.calls import AuthoritySource, ModuleCaller
from remit.workflows.activities.execution_activities import ExecutionActivities
from remit.workflows.lease import Lease
from remit.workflows.messages import ExecutionOrder, ExecutionStep, execution_id, execution_order
from tests.support.contents import AUTHORITY, directive, forging
from tests.support.keys import KEYS
from tests.support.people import agent

NOW = timedelta(0)
SWEPT = 1000
"""Most directives of each status that one sweep of the tests takes up."""


class Lost(BaseException):
    """The worker dies: nothing of Remit catches this."""


class Strike(BaseExecutionModule):
    """Has an effect that a test can count, at once."""

    name = "test"

    def __init__(self) -> None:
        self.effects: list[ModuleInput] = []

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Strike."""
        self.effects.append(module_input)
        return ModuleOutput.success()


class LongStrike(Strike):
    """Has an effect that a test can count, in an activity of its own."""

    name = "validate"
    kind: ClassVar[ModuleKind] = "long"


def served(order: ExecutionOrder) -> ActivityEnvironment:
    """Return an environment in which an activity serves the workflow of a directive's run."""
    environment = ActivityEnvironment()
    name = execution_id(order.directive_id)
    environment.info = replace(environment.info, workflow_id=name)
    return environment


@dataclass(frozen=True)
class Hands:
    """What a worker does, called as its workflows call it.

    Attributes:
        engine: the database.
        short: the activities of `ExecutionWorkflow`.
        strikes: the modules that count, by kind.
    """

    engine: sa.Engine
    short: ExecutionActivities
    strikes: tuple[Strike, LongStrike]

    @property
    def effects(self) -> list[ModuleInput]:
        """All that was done, in order within each kind."""
        return [effect for module in self.strikes for effect in module.effects]

    @property
    def struck(self) -> set[UUID]:
        """The directives that had an effect."""
        return {effect.directive_id for effect in self.effects}

    def choice(self, name: str) -> ModuleInfo | None:
        """Return what this worker has under a name."""
        return self.short.modules.registry.describe_module(name)

    def start(self, directive_id: UUID) -> ExecutionStep:
        """Do what `ExecutionWorkflow` does first: all of it, for a short module."""
        return self.short.execute_directive(ExecutionOrder(str(directive_id), None))

    def call(self, directive_id: UUID) -> ExecutionStep:
        """Do what `ExecutionWorkflow` does for a long module."""
        order = ExecutionOrder(str(directive_id), None)
        # In a thread of its own, so that a test may have an event loop or none.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(
                lambda: asyncio.run(served(order).run(self.short.execute_module, order))
            ).result()

    def work(self, directive_id: UUID) -> ExecutionStep:
        """Do all that `ExecutionWorkflow` does."""
        step = self.start(directive_id)
        return step if step.long_module_seconds is None else self.call(directive_id)

    def lose(self, directive_id: UUID) -> None:
        """Begin an attempt, and be lost before the module does anything."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ModuleRegistry, "dispatch_module", _lost)
            with pytest.raises(Lost):
                self.work(directive_id)

    def begun(self, directive_id: UUID) -> ModuleInput:
        """Have the effect of one attempt, and be lost before its end is told."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(attempts, "end_run", _lost)
            with pytest.raises(Lost):
                self.call(directive_id)
        return self.effects[-1]

    def sweep(self) -> None:
        """Do what `DispatcherWorkflow` does, as if all had waited for long."""
        left = find_leftovers(self.engine, idle=NOW, stalled=NOW, limit=SWEPT)
        for one in (*left.approved, *left.executing):
            self.work(UUID(execution_order(one).directive_id))


def _lost(*_: object, **__: object) -> object:
    raise Lost


class Fixed(PolicySource):
    """A policy that the test gives."""

    def __init__(self, policy: PolicyConfig) -> None:
        super().__init__(None)
        self._policy = policy


def armed(engine: sa.Engine, *strikes: Strike) -> ModuleRegistry:
    """Announce the modules of these tests, without which the gate blocks; return all there are."""
    registry: ModuleRegistry = discover_modules(installed=())
    for module in strikes or (Strike(), LongStrike()):
        registry.register_module(module, source="test")
    announce(engine, registry.list_modules(), KEYS)
    return registry


def lease(engine: sa.Engine, registry: ModuleRegistry) -> Lease:
    """Return the lease of a worker that was announced, good for as long as the test takes."""
    terms = Terms(length=timedelta(hours=1))
    held = Lease(engine, announce(engine, registry.list_modules(), KEYS, terms), terms)
    held.renew()
    return held


@contextlib.contextmanager
def worker(engine: sa.Engine, policies: PolicySource | None = None) -> Iterator[Hands]:
    """Return the hands of a worker, whose modules are announced; None: the built-in policy."""
    strikes = (Strike(), LongStrike())
    registry = armed(engine, *strikes)
    authority = AuthoritySource(policies or PolicySource(None), lambda: KEYS)
    modules = ModuleCaller(registry, engine, NoOpObjectStore())
    held = lease(engine, registry)
    with ThreadPoolExecutor(4) as threads:
        yield Hands(
            engine,
            ExecutionActivities(engine, authority, modules, held, threads),
            strikes,
        )


def proposed_many(
    engine: sa.Engine, changes: Sequence[dict[str, Any]], *, batch: int = 100
) -> list[DirectiveRead]:
    """Propose many directives that policy allows, and return them in their order."""
    contents = [directive(**({"type": "test"} | each)) for each in changes]
    found: list[DirectiveRead] = []
    for first in range(0, len(contents), batch):
        outcomes = proposals.propose(
            engine, contents[first : first + batch], AUTHORITY, by=agent("agent-1")
        )
        found += [one.directive for one in outcomes]
    assert {one.status for one in found} == {"approved"}
    return found


TABLES = (
    "directives",
    "approval_requests",
    "approval_votes",
    "grants",
    "execution_runs",
    "principals",
    "api_tokens",
)


@contextlib.contextmanager
def forgery(engine: sa.Engine, *tables: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a transaction of the superuser, with no trigger on these tables; none: on all."""
    forger = forging(engine)
    try:
        with forger.begin() as connection:
            past = _Past(connection, tables or TABLES)
            past.disable()
            raw: Any = connection.connection.dbapi_connection
            yield raw
            past.restore()
    finally:
        forger.dispose()


@dataclass
class _Past:
    """The triggers of some tables, to be disabled and set again as they were."""

    connection: sa.Connection
    tables: Sequence[str]

    def disable(self) -> None:
        self.before = self.connection.execute(_TRIGGERS, {"tables": list(self.tables)}).all()
        for table, name, _ in self.before:
            self._alter(table, f"DISABLE TRIGGER {name}")

    def restore(self) -> None:
        for table, name, how in self.before:
            self._alter(table, f"{how} TRIGGER {name}")

    def _alter(self, table: str, change: str) -> None:
        self.connection.exec_driver_sql(f"ALTER TABLE {table} {change}")


_TRIGGERS = sa.text(
    """
    SELECT relname, quote_ident(tgname),
        CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relname = ANY(:tables) AND NOT tgisinternal AND tgenabled <> 'D'
    """
)


def without(engine: sa.Engine, *triggers: str) -> None:
    """Take triggers out of a database for good, each written as table.trigger, or table.* for all.

    What is refused without one must be refused by something else.
    """
    forger = forging(engine)
    try:
        with forger.begin() as connection:
            for each in triggers:
                table, wanted = each.split(".")
                for _, name, _ in connection.execute(_TRIGGERS, {"tables": [table]}).all():
                    if wanted in {name, "*"}:
                        connection.exec_driver_sql(f"DROP TRIGGER {name} ON {table}")
    finally:
        forger.dispose()


def believe_grants(patch: pytest.MonkeyPatch) -> None:
    """Take out the defence: whatever a grant says and whoever signed it, it holds."""
    for asks in (starts, beginning):
        patch.setattr(asks, "void_reason", lambda *_, **__: None)


def ended(engine: sa.Engine, directive_id: UUID) -> tuple[str, str | None]:
    """Return a directive's status and the reason for it."""
    found = read_record(engine, directive_id).directive
    return found.status, found.status_reason
