"""One short story for each way a workflow can end; recorded once, replayed by every run.

`record.py` tells them to real servers and writes what Temporal kept of each; `test_replay.py` says
whether today's workflows would still decide the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from temporalio.client import Client

from remit.control import Control
from remit.operations.gate.policies import PolicySource
from remit.workflows.messages import DISPATCHER_ID, approval_id, execution_id
from tests.support.acting import Held
from tests.support.contents import asking, directive, no, write, yes
from tests.support.people import AGENT, OPERATOR
from tests.support.workers import control, eventually

SWEEPS = 2
"""How many sweeps the recorded dispatcher makes before it continues as new."""


@dataclass(frozen=True)
class Stage:
    """What a story is told on.

    Attributes:
        client: Temporal; a worker serves its namespace.
        engine: the database.
        held: the long module that the worker has under the name `test`.
    """

    client: Client
    engine: sa.Engine
    held: Held

    @property
    def remit(self) -> Control:
        """What a door would call, under the built-in policy."""
        return control(self.client, self.engine)


Story = Callable[[Stage], Awaitable[str]]
"""Tells a story to its end and returns the id of the workflow to keep."""


async def _propose(stage: Stage, remit: Control | None = None, **changes: Any) -> UUID:
    [outcome] = await (remit or stage.remit).propose([directive(**changes)], by=AGENT)
    return outcome.directive.id


async def _executed(stage: Stage, **changes: Any) -> str:
    about = await _propose(stage, **changes)
    await stage.remit.workflows.execution(about).result()
    return execution_id(str(about))


async def short_success(stage: Stage) -> str:
    """Run a short module that succeeds."""
    return await _executed(stage)


async def long_success(stage: Stage) -> str:
    """Run a long module that succeeds."""
    return await _executed(stage, type="test")


async def failure(stage: Stage) -> str:
    """Run a module that never succeeds."""
    return await _executed(stage, type="validate")


async def void_grant(stage: Stage) -> str:
    """Start a directive whose grant has been spoiled."""
    [outcome] = await control(stage.client, stage.engine).propose(
        [directive(status="draft")], by=AGENT
    )
    about = outcome.directive
    statement = "UPDATE directives SET status = 'approved', action_digest = 'x' WHERE id = :id"
    write(stage.engine, statement, id=about.id)
    await stage.remit.workflows.execute(about)
    await stage.remit.workflows.execution(about.id).result()
    return execution_id(str(about.id))


async def _approval(stage: Stage, answer: str | None) -> str:
    [outcome] = await stage.remit.propose([directive(scope="staging")], by=AGENT)
    about = outcome.directive
    await asyncio.sleep(0.3)
    ballot = yes(about) if answer == "yes" else no(about)
    await stage.remit.vote(about.id, ballot, by=OPERATOR)
    name = approval_id(str(about.id))
    await stage.client.get_workflow_handle(name).result()
    return name


async def approval_approved(stage: Stage) -> str:
    """Ask a person, who says yes."""
    return await _approval(stage, "yes")


async def approval_rejected(stage: Stage) -> str:
    """Ask a person, who says no."""
    return await _approval(stage, "no")


class _Hasty(PolicySource):
    """The built-in policy, but with one second to answer."""

    def __init__(self) -> None:
        super().__init__(None)
        self._policy = asking(expires_after="1s")


async def approval_expired(stage: Stage) -> str:
    """Ask people, of whom none answers."""
    remit = control(stage.client, stage.engine, _Hasty())
    name = approval_id(str(await _propose(stage, remit, scope="staging")))
    await stage.client.get_workflow_handle(name).result()
    return name


async def dispatcher_continued(stage: Stage) -> str:
    """Let the dispatcher sweep until it continues as new."""
    handle = stage.client.get_workflow_handle(DISPATCHER_ID)
    first = (await handle.describe()).run_id

    async def continued() -> bool:
        return (await handle.describe()).run_id != first

    await eventually(continued)
    return DISPATCHER_ID


STORIES: Mapping[str, Story] = {
    "short-success": short_success,
    "long-success": long_success,
    "failure": failure,
    "void-grant": void_grant,
    "approval-approved": approval_approved,
    "approval-rejected": approval_rejected,
    "approval-expired": approval_expired,
    "dispatcher-continue-as-new": dispatcher_continued,
}
"""Every story, by the name of its file."""
