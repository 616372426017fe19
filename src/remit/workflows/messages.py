"""What workflows and activities take and return: one frozen value each way, all of plain JSON."""

from dataclasses import dataclass
from uuid import UUID

from remit.base.durations import parse_timebox
from remit.directives.models import DirectiveRead
from remit.errors import InvalidInputError
from remit.settings import EXECUTION_QUEUE


@dataclass(frozen=True)
class ExecutionOrder:
    """Run one directive, within its timebox if it has one."""

    directive_id: str
    timebox_seconds: float | None


@dataclass(frozen=True)
class ExecutionStep:
    """Where an execution stands after an activity.

    Attributes:
        status: status of the directive.
        long_module_seconds: how long the module may take that must now be called as an activity of
            its own; None when nothing is left to call.
        worker_queue: the queue of the one worker that must go on, because it has the version of
            the module that was granted; None: any worker may.
        ask_again_seconds: after what pause to ask again, because no worker that lives has that
            version just now; None: there is nothing to wait for.
    """

    status: str
    status_reason: str | None
    long_module_seconds: float | None = None
    worker_queue: str | None = None
    ask_again_seconds: float | None = None


@dataclass(frozen=True)
class ApprovalOrder:
    """Wait until people have decided about one directive, or its time is over."""

    directive_id: str


@dataclass(frozen=True)
class ApprovalStep:
    """Where an approval stands.

    It either waits for so many seconds more at most, or has a result.
    """

    waits_seconds: float | None
    result: "ApprovalResult | None"


@dataclass(frozen=True)
class ApprovalResult:
    """How an approval ended.

    Attributes:
        approved: whether the directive may run.
        policy_version: version of the policy that evaluated it; None when none has.
        policy_blocks: every reason for which policy blocked it; empty when it did not.
        human_override: whether people decided, as opposed to policy alone.
        artifact_uri: the stored evaluation; None when there is none.
    """

    approved: bool
    policy_version: str | None
    policy_blocks: list[str]
    human_override: bool
    artifact_uri: str | None


@dataclass(frozen=True)
class SweepOrder:
    """Sweep at this interval, for ever."""

    interval_seconds: float


@dataclass(frozen=True)
class Found:
    """What one sweep found.

    Attributes:
        executions: directives to run, or to go on running.
        approvals: directives to pass through the gate, or whose request ran out.
    """

    executions: list[ExecutionOrder]
    approvals: list[ApprovalOrder]


def execution_order(directive: DirectiveRead) -> ExecutionOrder:
    """Return the order to run a directive."""
    timebox = directive.timebox
    try:
        seconds = None if timebox is None else parse_timebox(timebox).total_seconds()
    except InvalidInputError:
        # Written behind Remit's back. It must not stop the sweep; the run will find the change.
        seconds = None
    return ExecutionOrder(str(directive.id), seconds)


def worker_queue(worker_id: UUID) -> str:
    """Return the task queue that one worker alone polls."""
    return f"{EXECUTION_QUEUE}/{worker_id}"


def execution_id(directive_id: str) -> str:
    """Return the id of a directive's `ExecutionWorkflow`."""
    return f"execution-{directive_id}"


def approval_id(directive_id: str) -> str:
    """Return the id of a directive's `ApprovalWorkflow`."""
    return f"approval-{directive_id}"


DISPATCHER_ID = "dispatcher"
"""The id of the one `DispatcherWorkflow`."""
