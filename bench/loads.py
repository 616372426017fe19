"""What is measured: one unit of each load, from its caller's side.

- bare: one workflow of three local activities that do nothing
- rows: the rows of one automatically approved directive, in the same three transactions
- loop: one directive through Remit's whole loop, approved by policy
- person: one directive through Remit's whole loop, approved by a vote

Who acts is known from the start, as it would be to a server: authentication is no part of a unit.

The loop's units wait for the execution workflow's result as the bare ones wait for theirs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import sqlalchemy as sa
from temporalio.client import Client

from bench.bare import QUEUE, BareWorkflow
from bench.measurement import BARE, LOOP, PERSON, ROWS
from remit.approval.types import Ballot
from remit.artifacts.noop import NoOpObjectStore
from remit.base.json_types import JsonObject
from remit.control import Control
from remit.directives.models import DirectiveCreate, parse_directive
from remit.errors import ConflictError
from remit.execution.modules.registry import ModuleInfo, ModuleRegistry
from remit.execution.modules.types import ModuleOutput
from remit.execution.workers import WorkerIdentity
from remit.identity.types import Principal
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import PolicySource
from remit.operations.gate.proposals import propose
from remit.operations.runs.beginning import start_run
from remit.operations.runs.results import end_run
from remit.signing.keys import Keyring
from remit.workflows.activities.calls import EmittedArtifacts
from remit.workflows.client import WorkflowClient
from remit.workflows.messages import approval_id, execution_id

Load = Callable[[], Awaitable[list[str]]]
"""Makes one unit, and returns the ids of its workflows once it is done; raises when it failed."""

SCOPE, SCOPE_OF_PEOPLE = "test", "staging"
"""By the built-in policy, people decide on the second."""

PROPOSER: Final = Principal("bench", "agent", roles=("proposer",))
APPROVER: Final = Principal("approver", "human", roles=("approver",))

_MAX_BYTES = 65536


@dataclass(frozen=True)
class Loads:
    """The four loads on one pair of servers.

    Attributes:
        client: Temporal.
        engine: the database.
        policies: the policy in force: the built-in one.
        keys: those of Remit's worker.
        registry: the modules, as they are announced.
        approver: whoever votes, with the token that they show.
        worker: who begins and ends what is no workflow's.
    """

    client: Client
    engine: sa.Engine
    policies: PolicySource
    keys: Keyring
    registry: ModuleRegistry
    approver: Principal
    worker: WorkerIdentity

    @property
    def by_name(self) -> Mapping[str, Load]:
        """Every load by its name."""
        return {
            BARE: self._bare,
            ROWS: lambda: asyncio.to_thread(self._rows),
            LOOP: self._loop,
            PERSON: self._person,
        }

    async def _bare(self) -> list[str]:
        workflow_id = f"bare-{uuid4()}"
        await self.client.execute_workflow(
            BareWorkflow.run, workflow_id, id=workflow_id, task_queue=QUEUE
        )
        return [workflow_id]

    def _rows(self) -> list[str]:
        authority = Authority(self.policies.current(), self.keys, self.worker)
        [outcome] = propose(self.engine, [echo(SCOPE)], authority, by=PROPOSER)
        state = start_run(self.engine, outcome.directive.id, self._choose, authority)
        if state.run is None:
            raise ConflictError(f"a measured directive is {state.directive.status}, not executing")
        emitted = EmittedArtifacts(state.run, NoOpObjectStore())
        result: JsonObject = {"echo": dict(state.directive.payload)}
        emitted.emit("module_output", {"module": "echo", **result})
        ended = end_run(
            self.engine,
            state.directive,
            state.run,
            ModuleOutput.success(result),
            worker=self.worker,
            emitted=emitted.artifacts,
        )
        _check(ended.directive.status)
        return []

    async def _loop(self) -> list[str]:
        control = self._control()
        [outcome] = await control.propose([echo(SCOPE)], by=PROPOSER)
        identifier = outcome.directive.id
        _check((await control.workflows.execution(identifier).result()).status)
        return [execution_id(str(identifier))]

    async def _person(self) -> list[str]:
        control = self._control()
        [outcome] = await control.propose([echo(SCOPE_OF_PEOPLE)], by=PROPOSER)
        asked = outcome.directive
        ballot = Ballot("approve", None, asked.action_digest or "")
        await control.vote(asked.id, ballot, by=self.approver)
        step = await control.workflows.execution(asked.id).result()
        _check(step.status)
        waiting = approval_id(str(asked.id))
        await self.client.get_workflow_handle(waiting).result()
        return [execution_id(str(asked.id)), waiting]

    def _control(self) -> Control:
        return Control(self.engine, WorkflowClient(self.client), self.policies, self.keys)

    def _choose(self, name: str) -> ModuleInfo:
        found = self.registry.describe_module(name)
        if found is None:
            raise ConflictError(f"there is no module {name!r} to measure with")
        return found


def echo(scope: str) -> DirectiveCreate:
    """Return the directive that is measured: a small `echo`."""
    return parse_directive(
        {
            "role": "operator",
            "type": "echo",
            "payload": {"message": "what does a directive cost?"},
            "issued_by": PROPOSER.name,
            "objective": "Measure what one directive costs",
            "scope": scope,
            "status": "proposed",
        },
        max_bytes=_MAX_BYTES,
    )


def _check(status: str) -> None:
    """Refuse to measure what did not go through."""
    if status != "complete":
        raise ConflictError(f"a measured directive is {status}, not complete")
