"""How the rest of Remit starts and wakes workflows, right after a commit.

A start or a signal that is lost costs time, which the dispatcher's sweep makes up for.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from remit.directives.models import DirectiveRead
from remit.errors import MisconfiguredError, UnavailableError
from remit.settings import APPROVAL_QUEUE, EXECUTION_QUEUE
from remit.workflows.approval import ApprovalWorkflow
from remit.workflows.dispatcher import DispatcherWorkflow
from remit.workflows.execution import ExecutionWorkflow
from remit.workflows.messages import (
    DISPATCHER_ID,
    ApprovalOrder,
    ExecutionStep,
    SweepOrder,
    approval_id,
    execution_id,
    execution_order,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

CONNECT_SECONDS = 10.0
"""How long Temporal may take to answer."""


@dataclass(frozen=True)
class Observed:
    """What a client's spans and metrics go to.

    Temporal's core serves its own metrics on `core_metrics_port`.
    """

    provider: "TracerProvider | None" = None
    core_metrics_port: int | None = None


async def connect(address: str, namespace: str, observed: Observed | None = None) -> Client:
    """Return a client of the Temporal front end at `address`, given as host:port.

    Raises:
        UnavailableError: it does not answer, or the port for its own metrics was just taken.
        MisconfiguredError: it has no such namespace.
    """
    options = _observing(observed)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await Client.connect(address, namespace=namespace, **options)
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=namespace)
            )
    except TimeoutError as error:
        raise UnavailableError(
            f"Temporal at {address} does not answer within {CONNECT_SECONDS:g} s; "
            "start it, or correct TEMPORAL_ADDRESS"
        ) from error
    except ValueError as error:
        raise MisconfiguredError("no address: write host:port", field="TEMPORAL_ADDRESS") from error
    except RuntimeError as error:
        raise UnavailableError(
            f"Temporal at {address} does not answer; start it, or correct TEMPORAL_ADDRESS"
        ) from error
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise UnavailableError(f"Temporal at {address} refuses: {error.message}") from error
        raise MisconfiguredError(
            f"Temporal at {address} has no such namespace; make it, or correct this",
            field="TEMPORAL_NAMESPACE",
        ) from error
    return client


def _observing(observed: Observed | None) -> dict[str, Any]:
    """Return the options of a client that is observed; loads OpenTelemetry only for one that is."""
    found: dict[str, Any] = {}
    if observed is None:
        return found
    from remit.workflows.tracing import DirectiveTracing, core_runtime

    if observed.provider is not None:
        found["interceptors"] = [DirectiveTracing(observed.provider)]
    if observed.core_metrics_port is not None:
        try:
            found["runtime"] = core_runtime(observed.core_metrics_port)
        except ValueError as error:
            # The port was free when it was chosen.
            raise UnavailableError(
                "the port for Temporal's own metrics was just taken: start again"
            ) from error
    return found


class WorkflowClient:
    """Starts, wakes and cancels Remit's workflows.

    Every method raises UnavailableError when Temporal cannot be told.
    """

    def __init__(self, client: Client) -> None:
        """Use a connected Temporal client."""
        self._client = client

    async def execute(self, directive: DirectiveRead) -> None:
        """Start the run of an approved directive; one that runs already goes on."""
        start = self._client.start_workflow(
            ExecutionWorkflow.run,
            execution_order(directive),
            id=execution_id(str(directive.id)),
            task_queue=EXECUTION_QUEUE,
            # A retry may need a second run after one that ended with a void grant. That is safe:
            # without a live grant a workflow has no effect.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        await _told(start)

    async def await_approval(self, directive_id: UUID) -> None:
        """Start the wait for people; one that waits already goes on."""
        start = self._client.start_workflow(
            ApprovalWorkflow.run,
            ApprovalOrder(str(directive_id)),
            id=approval_id(str(directive_id)),
            task_queue=APPROVAL_QUEUE,
        )
        await _told(start)

    async def wake_approval(self, directive_id: UUID) -> None:
        """Let the wait for people look again; nothing happens if none waits."""
        handle = self._client.get_workflow_handle(approval_id(str(directive_id)))
        await _told(handle.signal(ApprovalWorkflow.wake))

    async def cancel_execution(self, directive_id: UUID) -> None:
        """Cancel the run's workflow; nothing happens if none runs."""
        handle = self._client.get_workflow_handle(execution_id(str(directive_id)))
        await _told(handle.cancel())

    async def sweep(self, interval_seconds: float) -> None:
        """Start the dispatcher; if it runs already, nothing changes."""
        start = self._client.start_workflow(
            DispatcherWorkflow.run,
            SweepOrder(interval_seconds),
            id=DISPATCHER_ID,
            task_queue=EXECUTION_QUEUE,
        )
        await _told(start)

    def execution(self, directive_id: UUID) -> "WorkflowHandle[ExecutionWorkflow, ExecutionStep]":
        """Return the handle of a directive's run, to wait for its end."""
        return self._client.get_workflow_handle_for(
            ExecutionWorkflow.run, execution_id(str(directive_id))
        )


async def _told(call: Awaitable[object]) -> None:
    """Await a start, a signal or a cancel; what runs already, or no more, needs none."""
    try:
        await call
    except WorkflowAlreadyStartedError:
        return
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise UnavailableError(f"Temporal could not be told: {error.message}") from error
