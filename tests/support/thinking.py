"""A worker that thinks inside the test's own process, and directives on whose behalf it does."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from temporalio.client import Client

from remit.artifacts.repository import ArtifactFilter
from remit.artifacts.types import Artifact
from remit.cognition.llm.provider import LLMProvider
from remit.cognition.llm.types import LLMRequest, LLMResponse, LLMUsage
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.operations.evidence.artifacts import read_artifacts
from remit.operations.evidence.records import read_record
from remit.operations.runs.beginning import start_run
from remit.policy.config import PolicyConfig
from remit.settings import Settings
from remit.signing.sealing import Seal
from remit.workflows.activities.llm_activities import LLMActivities
from remit.workflows.llm_worker import llm_activities, serve_llm
from tests.support.contents import POLICY, SHORT, proposed, under
from tests.support.workers import polling


class Priced:
    """A provider that answers at once, at a price of the test's choice; None for an unknown one."""

    name = "openai"

    def __init__(self, cost: str | None) -> None:
        self.cost = None if cost is None else Decimal(cost)
        self.asked: list[LLMRequest] = []

    def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer."""
        self.asked.append(request)
        return LLMResponse("yes", "gpt-6.2-sol", LLMUsage(11, 5, 16, self.cost), 1.5)


def asking(engine: sa.Engine, provider: LLMProvider, model: str | None = None) -> LLMActivities:
    """Return the activity's object with a provider."""
    return LLMActivities(engine, lambda: provider, provider.name, model)


def call(text: str = "hello", **changes: Any) -> dict[str, Any]:
    """Return what `call_llm` takes, but for what is changed."""
    return {"request": {"messages": [{"role": "user", "content": text}]}, **changes}


def executing(
    engine: sa.Engine, policy: PolicyConfig = POLICY, /, **changes: Any
) -> tuple[DirectiveRead, ExecutionRunRead]:
    """Return a directive that executes, and its run."""
    found = proposed(engine, policy, **({"budget": "$40"} | changes))
    state = start_run(engine, found.id, lambda _: SHORT, under(policy))
    assert state.run is not None
    return read_record(engine, found.id).directive, state.run


def kept(engine: sa.Engine, kind: Any) -> list[Artifact]:
    """Return all artifacts of a type, newest first."""
    return read_artifacts(engine, ArtifactFilter(type=kind))


@contextlib.asynccontextmanager
async def thinking(
    client: Client,
    engine: sa.Engine,
    seal: Seal,
    settings: Settings,
    *,
    workflows: Sequence[type] = (),
    provider: LLMProvider | None = None,
) -> AsyncIterator[None]:
    """Serve the queue of the client's namespace while the block runs.

    Args:
        client: names the namespace.
        engine: the database.
        seal: what seals the histories.
        settings: which provider is chosen.
        workflows: workflows to serve.
        provider: this one in place of the one that is chosen.
    """
    activities = llm_activities(engine, settings)
    if provider is not None:
        given = provider
        activities = replace(activities, provider=lambda: given, provider_name=given.name)
    async with polling(
        lambda stop, ready: serve_llm(
            client, activities, seal, workflows=workflows, stop=stop, on_ready=ready
        )
    ):
        yield
