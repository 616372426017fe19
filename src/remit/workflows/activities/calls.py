"""How a run's module is called, whether in the ordinary activity or in one of its own."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from pydantic import JsonValue
from temporalio import activity

from remit.artifacts.contents import place_json
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.artifacts.store import ObjectStore
from remit.artifacts.types import CONTENT_REF, MAX_ARTIFACT_BYTES, ArtifactType
from remit.directives.models import DirectiveRead
from remit.directives.plain_json import find_fault
from remit.directives.timebox import parse_timebox
from remit.errors import (
    ForbiddenError,
    InvalidInputError,
    MisconfiguredError,
    NotFoundError,
    PolicyUnconfirmedError,
    UnavailableError,
)
from remit.execution.models import EndedRun, ExecutionRunRead, LeftArtifact
from remit.execution.modules.base import BaseExecutionModule
from remit.execution.modules.registry import ModuleRegistry
from remit.execution.modules.types import ModuleInput, ModuleOutput, run_status_of
from remit.execution.workers import WorkerIdentity
from remit.operations.authority import Authority
from remit.operations.policies import PolicySource
from remit.operations.results import Ended, Ending
from remit.operations.starts import ModuleChoice
from remit.policy.budget import parse_budget
from remit.redaction import redact_object
from remit.signing.keys import Keyring
from remit.telemetry.logging import get_logger
from remit.telemetry.metrics import record_execution
from remit.telemetry.tracing import span
from remit.workflows.activities.underway import Underway
from remit.workflows.orders import ExecutionOrder, ExecutionStep, execution_id

MODULE_ARTIFACT: ArtifactType = "module_output"
"""The one artifact type that a module may emit."""


@dataclass
class Evidence:
    """What a module emitted, held until the transaction that ends its run.

    An attempt that dies leaves none of it, and the next attempt emits it again: what is stored is
    the evidence of the attempt that counted.
    """

    directive: DirectiveRead
    run: ExecutionRunRead
    store: ObjectStore
    artifacts: list[NewArtifact] = field(default_factory=list)

    def emit(self, artifact_type: str, metadata: dict[str, JsonValue]) -> str:
        """Take one artifact and return the address that it will have.

        What is over 64 KB goes to the object store at once, before the row that will speak of it.

        Raises:
            InvalidInputError: modules may not emit this type, or the content cannot be kept.
            ObjectStoreException: the object store did not keep it.
        """
        if artifact_type != MODULE_ARTIFACT:
            raise InvalidInputError(
                f"a module emits {MODULE_ARTIFACT} artifacts, not {artifact_type!r}", field="type"
            )
        if CONTENT_REF in metadata:
            raise InvalidInputError("a name of Remit's own: use another", field=CONTENT_REF)
        fault = find_fault(metadata, max_weight=MAX_ARTIFACT_BYTES)
        if fault is not None:
            raise InvalidInputError(
                f"cannot be stored: {fault.problem}", field=fault.path or "metadata"
            )
        cleaned = redact_object(metadata)
        with span("artifact", artifact_type=MODULE_ARTIFACT) as telling:
            placed = place_json(self.store, cleaned)
            telling.set(store="postgres" if placed is None else self.store.name)
        made = new_artifact(
            MODULE_ARTIFACT,
            cleaned if placed is None else {},
            directive_id=self.directive.id,
            run_id=self.run.id,
            placed=placed,
        )
        self.artifacts.append(made)
        return made.uri

    def ending(
        self,
        output: ModuleOutput,
        worker: WorkerIdentity,
        emitted: Sequence[NewArtifact] | None = None,
    ) -> Ending:
        """Return how this attempt ended.

        Args:
            output: what the module returned.
            worker: who made the attempt.
            emitted: the artifacts that count; None: all that it emitted.
        """
        kept = self.artifacts if emitted is None else emitted
        return Ending(self.run, output, worker, kept, budgeted=self.directive.budget is not None)


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
        with span("module", module_name=run.module, attempt=run.attempts) as telling:
            output = self.registry.dispatch_module(
                _input(directive, run), self.engine, evidence.emit
            )
            telling.set(status=output.status.value)
        return output


def check_workflow(order: ExecutionOrder) -> None:
    """Return quietly when this activity serves the one workflow that a directive's run has.

    Whoever reaches Temporal can start the same workflow under other names. All of them together
    would begin attempt after attempt of one run, until none is left.

    Raises:
        ForbiddenError: it serves another.
    """
    if not activity.in_activity():
        return
    if activity.info().workflow_id != execution_id(order.directive_id):
        raise ForbiddenError(
            f"only the workflow {execution_id(order.directive_id)} may run this directive"
        )


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
    """

    policies: PolicySource
    keys: Callable[[], Keyring]
    _told: set[str] = field(default_factory=set, repr=False)

    def current(self) -> Authority:
        """Return what a decision is made with now.

        Raises:
            UnavailableError: the policy's file, or a key's, is broken just now, or no operator has
                confirmed the policy; nothing runs until it is mended.
        """
        try:
            return Authority(self.policies.current(), self.keys())
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
