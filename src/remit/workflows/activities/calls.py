"""How a run's module is called, whether in the ordinary activity or in one of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import sqlalchemy as sa

from remit.artifacts.store import ObjectStore
from remit.base.durations import parse_timebox
from remit.base.money import parse_budget
from remit.directives.models import DirectiveRead
from remit.errors import (
    InvalidInputError,
    MisconfiguredError,
    NotFoundError,
    PolicyUnconfirmedError,
    UnavailableError,
)
from remit.execution.known_workers import KnownWorkers
from remit.execution.models import EndedRun, ExecutionRunRead, LeftArtifact
from remit.execution.modules.base import BaseExecutionModule
from remit.execution.modules.registry import ModuleRegistry
from remit.execution.modules.types import ModuleInput, ModuleOutput, run_status_of
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import PolicySource
from remit.operations.gate.routing import Route
from remit.operations.runs.results import Ended, Ending
from remit.operations.runs.starts import ModuleChoice
from remit.signing.keys import Keyring
from remit.telemetry import tracing
from remit.telemetry.logging import get_logger
from remit.telemetry.metrics import record_execution
from remit.workflows.activities.emitting import Evidence
from remit.workflows.activities.underway import Underway
from remit.workflows.messages import ExecutionStep, worker_queue

ASK_AGAIN_SECONDS = 2.0
"""Pause before a workflow asks again whether a worker has the version that was granted."""


def unobserved(ended: EndedRun) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class ModuleCaller:
    """The modules of this worker, and what they are handed.

    Attributes:
        observe: told of each run that a module ended; it must return at once and raise nothing.
        registry: the modules.
        engine: the database connection that modules get.
        store: where large evidence of theirs goes.
        underway: the attempts that this worker is at.
    """

    registry: ModuleRegistry
    engine: sa.Engine
    store: ObjectStore
    observe: Callable[[EndedRun], None] = unobserved
    underway: Underway = field(default_factory=Underway)

    def choice(self, name: str) -> ModuleChoice:
        """Return how this worker would run the module; an unknown one fails as a short one."""
        found = self.registry.describe_module(name)
        if found is None:
            return ModuleChoice(kind="short", version="", digest="")
        return ModuleChoice(kind=found.kind, version=found.version, digest=found.digest)

    def limit(self, directive: DirectiveRead) -> timedelta:
        """Return how long the directive's module may take."""
        if directive.timebox is not None:
            return parse_timebox(directive.timebox)
        try:
            return self.registry.get_module(directive.type).default_timeout
        except NotFoundError:
            return BaseExecutionModule.default_timeout

    def evidence_of(self, directive: DirectiveRead, run: ExecutionRunRead) -> Evidence:
        """Return what will hold what the module of this run emits."""
        return Evidence(directive, run, self.store)

    def tell(
        self, directive: DirectiveRead, ending: Ending, ended: Ended, began: float
    ) -> ExecutionStep:
        """Tell how a run ended, and return where its directive stands.

        Args:
            directive: what was asked.
            ending: how the run ended, with the artifacts that were kept.
            ended: how the directive stands.
            began: when the module was called, by `time.monotonic`.
        """
        if not ended.counted:
            # Another attempt ends this run and tells of it, or it was canceled: see `uncalled`.
            return step_of(ended)
        seconds = time.monotonic() - began
        record_execution(ending.run.module, seconds)
        self.observe(_ended_run(directive, ending, ended, seconds))
        return step_of(ended)

    def call(self, evidence: Evidence) -> ModuleOutput:
        """Call the module of a run that has begun."""
        directive, run = evidence.directive, evidence.run
        with tracing.span("module", module_name=run.module, attempt=run.attempts) as span:
            output = self.registry.dispatch_module(
                _input(directive, run), self.engine, evidence.emit
            )
            span.set(status=output.status.value)
        return output


def too_late(limit: timedelta) -> ModuleOutput:
    """Return the output of a module that overran its limit, whatever it did."""
    message = f"took longer than {limit.total_seconds():g} s"
    return ModuleOutput.error_(message, error_type="timed_out")


@dataclass(frozen=True)
class AuthoritySource:
    """What this worker decides and verifies with.

    Attributes:
        policies: the policy in force.
        keys: returns what signs grants, and what verifies them, as it is now.
        patience: see :class:`remit.operations.gate.authority.Authority`.
        workers: those whose certificates were verified.
    """

    policies: PolicySource
    keys: Callable[[], Keyring]
    patience: timedelta = timedelta(0)
    workers: KnownWorkers = field(default_factory=KnownWorkers)
    _told: set[str] = field(default_factory=set, repr=False)

    def current(self) -> Authority:
        """Return what a decision is made with now.

        Raises:
            UnavailableError: the policy's file, or a key's, is broken just now, or no operator has
                confirmed the policy; nothing runs until it is mended.
        """
        try:
            return Authority(
                self.policies.current(), self.keys(), workers=self.workers, patience=self.patience
            )
        except PolicyUnconfirmedError as error:
            if error.message not in self._told:
                self._told.add(error.message)
                get_logger(__name__).error("policy_unconfirmed", problem=error.message)
            raise
        except InvalidInputError as error:
            raise UnavailableError(f"no policy can be read, so nothing may run: {error}") from error
        except MisconfiguredError as error:
            raise UnavailableError(f"no key can be read, so nothing may run: {error}") from error


def step_of(
    directive: DirectiveRead | Ended, long_module: timedelta | None = None
) -> ExecutionStep:
    """Describe where a directive stands, for its workflow."""
    return ExecutionStep(
        status=directive.status,
        status_reason=directive.status_reason,
        long_module_seconds=None if long_module is None else long_module.total_seconds(),
    )


def handed_over(directive: DirectiveRead, route: Route) -> ExecutionStep:
    """Describe what another worker must do, for the workflow of the directive."""
    step = step_of(directive)
    if route.worker_id is None:
        return replace(step, ask_again_seconds=ASK_AGAIN_SECONDS)
    return replace(step, worker_queue=worker_queue(route.worker_id))


def _ended_run(directive: DirectiveRead, ending: Ending, ended: Ended, seconds: float) -> EndedRun:
    run = ending.run
    return EndedRun(
        directive_id=directive.id,
        type=directive.type,
        role=directive.role,
        status=ended.status,
        run_id=run.id,
        module=run.module,
        run_status=run_status_of(ending.output.status),
        attempts=run.attempts,
        seconds=seconds,
        artifacts=tuple(LeftArtifact(one.type, one.digest) for one in ending.emitted),
    )


def _input(directive: DirectiveRead, run: ExecutionRunRead) -> ModuleInput:
    return ModuleInput(
        directive_id=directive.id,
        run_id=run.id,
        module=run.module,
        objective=directive.objective,
        scope=directive.scope,
        payload=directive.payload,
        constraints=directive.constraints,
        budget=None if directive.budget is None else parse_budget(directive.budget),
        timebox=None if directive.timebox is None else parse_timebox(directive.timebox),
        idempotency_key=run.idempotency_key,
        attempt=run.attempts,
    )
