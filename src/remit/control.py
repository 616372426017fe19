"""The facade that every door calls: an operation, then the wake-up of Temporal.

Each method makes one transaction and, after its commit, starts or wakes what the new state calls
for. A wake-up that fails changes nothing that was decided: the state stands, the failure is logged,
and the dispatcher's next sweep makes up for it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from remit.approval.types import Ballot
from remit.directives.models import DirectiveCreate, DirectiveRead
from remit.errors import ConflictError, UnavailableError
from remit.execution.worker_repository import KnownWorkers
from remit.identity.types import Principal
from remit.operations.gate import approvals, proposals, retries
from remit.operations.gate.approvals import VoteOutcome
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import PolicySource
from remit.operations.gate.proposals import GateOutcome
from remit.operations.runs import cancellation
from remit.signing.keys import Keyring
from remit.telemetry.tracing import directive_root, directive_span
from remit.workflows.client import WorkflowClient

_log = logging.getLogger(__name__)

WAKE_UPS_AT_A_TIME = 20
"""How many workflows are started at once after many directives were proposed together."""


@dataclass(frozen=True)
class Control:
    """Remit's verbs, for one caller's process; the operations say which errors they raise."""

    engine: sa.Engine
    workflows: WorkflowClient
    policies: PolicySource
    keys: Keyring
    workers: KnownWorkers = field(default_factory=KnownWorkers)

    def authority(self) -> Authority:
        """Return what a decision is made with now.

        Raises:
            InvalidInputError: the policy file no longer holds a policy.
            PolicyUnconfirmedError: it holds one that no operator has confirmed.
        """
        return Authority(self.policies.current(), self.keys, workers=self.workers)

    async def propose(
        self, contents: Sequence[DirectiveCreate], *, by: Principal
    ) -> list[GateOutcome]:
        """Store directives, all or none, pass them through the gate, and start what it approved."""
        began = time.time_ns()
        outcomes = await asyncio.to_thread(
            proposals.propose, self.engine, contents, self.authority(), by=by
        )
        for outcome in outcomes:
            if outcome.created:
                directive_root(
                    outcome.directive.id,
                    "propose",
                    started_ns=began,
                    status=outcome.directive.status,
                    verdict=outcome.decision.verdict.value if outcome.decision else "none",
                    directive_type=outcome.directive.type,
                )
        await self._start(outcome.directive for outcome in outcomes)
        return outcomes

    async def submit(self, directive_id: UUID, *, by: Principal) -> GateOutcome:
        """Pass a draft, or a blocked directive again, through the gate."""
        with directive_span(directive_id, "submit") as span:
            outcome = await asyncio.to_thread(
                proposals.submit, self.engine, directive_id, self.authority(), by=by
            )
            span.set(status=outcome.directive.status)
            await self._start([outcome.directive])
        return outcome

    async def retry_voided(self, *, by: Principal, limit: int) -> tuple[list[GateOutcome], bool]:
        """Let what a change of policy voided pass the gate again; also return whether more is left.

        Each in a transaction of its own: what was done stays done.
        """
        ids, more = await asyncio.to_thread(
            retries.voided, self.engine, self.authority(), by=by, limit=limit
        )
        outcomes = []
        for directive_id in ids:
            # Another one may have been quicker, or stopped it.
            with contextlib.suppress(ConflictError):
                outcomes.append(await self.submit(directive_id, by=by))
        return [one for one in outcomes if one.decision is not None], more

    async def vote(self, directive_id: UUID, ballot: Ballot, *, by: Principal) -> VoteOutcome:
        """Cast one vote; when it approves, the directive starts."""
        with directive_span(directive_id, "vote", decision=ballot.decision) as span:
            outcome = await asyncio.to_thread(
                approvals.vote, self.engine, directive_id, ballot, self.authority(), by=by
            )
            span.set(outcome=outcome.outcome, status=outcome.directive.status)
            if outcome.outcome == "approved":
                await self._wake(self.workflows.execute(outcome.directive))
            await self._wake(self.workflows.wake_approval(directive_id))
        return outcome

    async def cancel(
        self, directive_id: UUID, *, by: Principal, reason: str | None = None
    ) -> DirectiveRead:
        """Stop a directive wherever it stands."""
        with directive_span(directive_id, "cancel") as span:
            directive, before = await asyncio.to_thread(
                cancellation.cancel,
                self.engine,
                directive_id,
                by=by,
                reason=reason,
                keys=self.keys,
            )
            span.set(status=directive.status)
            if before == "executing":
                await self._wake(self.workflows.cancel_execution(directive_id))
            if before == "proposed":
                await self._wake(self.workflows.wake_approval(directive_id))
        return directive

    async def _start(self, directives: Iterable[DirectiveRead]) -> None:
        """Start what each directive now waits for in its own trace, a bounded number at a time."""
        room = asyncio.Semaphore(WAKE_UPS_AT_A_TIME)

        async def start(directive: DirectiveRead) -> None:
            async with room:
                with directive_span(directive.id, "start"):
                    if directive.status == "approved":
                        await self._wake(self.workflows.execute(directive))
                    else:
                        await self._wake(self.workflows.await_approval(directive.id))

        await asyncio.gather(
            *(start(one) for one in directives if one.status in {"approved", "proposed"})
        )

    @staticmethod
    async def _wake(call: Awaitable[None]) -> None:
        try:
            await call
        except UnavailableError as error:
            _log.warning("%s; the next sweep will find it", error)
