"""A workflow that thinks: it asks a language model for a summary, and can do nothing else.

Serve it, with its folder on the path, while `remit up` runs:

    PYTHONPATH=examples remit llm-worker --workflow summarize_workflow:SummarizeEvidence

and ask it, in another terminal:

    echo "The deploy failed twice: no space left on /var." | python examples/summarize_workflow.py

Until LLM_PROVIDER names a provider, the answer is that none is chosen. Either way
`remit artifacts list --type llm_call` shows that it was asked.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

LLM_QUEUE = "llm-queue"

TASK = "Summarize what the user gives you in at most three sentences. Add nothing of your own."

PATIENCE = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3)
"""How often a failure that may pass is tried again; each try is on record, and costs."""


@dataclass(frozen=True)
class Evidence:
    """What is to be summarized.

    Attributes:
        text: the text.
        directive_id: the directive that it serves, whose budget pays; None for none.
    """

    text: str
    directive_id: str | None = None


@dataclass(frozen=True)
class Summary:
    """What came of it.

    Attributes:
        text: the summary; None when there is none.
        error: why there is none; None when there is one.
    """

    text: str | None
    error: str | None = None


@workflow.defn
class SummarizeEvidence:
    """Ask once, and return the answer."""

    @workflow.run
    async def run(self, evidence: Evidence) -> Summary:
        """Return the summary of `evidence`, or why there is none."""
        request = {
            "messages": [
                {"role": "system", "content": TASK},
                {"role": "user", "content": evidence.text},
            ],
            "max_tokens": 300,
        }
        try:
            answer: dict[str, Any] = await workflow.execute_activity(
                "call_llm",
                {"request": request, "directive_id": evidence.directive_id},
                task_queue=LLM_QUEUE,
                start_to_close_timeout=timedelta(minutes=2),
                retry_policy=PATIENCE,
            )
        except ActivityError as error:
            # Only what was tried again until patience ended comes here; the rest is an answer.
            cause = error.cause
            return Summary(
                None, cause.message if isinstance(cause, ApplicationError) else str(error)
            )
        if not answer["ok"]:
            return Summary(None, answer["error"]["error_message"])
        return Summary(answer["response"]["content"])


async def ask(text: str) -> Summary:
    """Start the workflow on this machine's stack, and wait for what comes of it."""
    # Imported here: the workflow's sandbox loads this file too, and needs none of it.
    from remit.settings import load_settings
    from remit.signing.sealing import load_seal
    from remit.stack.discovery import resolve_services
    from remit.workflows.client import connect
    from remit.workflows.sealing import sealed

    settings = load_settings()
    services = resolve_services(settings)
    seal = load_seal(settings.remit_keys_dir or settings.remit_data_dir / "keys")
    client = sealed(await connect(services.temporal_address, services.temporal_namespace), seal)
    return await client.execute_workflow(
        SummarizeEvidence.run, Evidence(text), id=f"summarize-{uuid4()}", task_queue=LLM_QUEUE
    )


if __name__ == "__main__":
    from remit.errors import RemitError

    try:
        found = asyncio.run(ask(sys.stdin.read()))
    except RemitError as error:
        # No stack runs, or no worker of language models has run here yet.
        found = Summary(None, str(error))
    print(found.text or f"no summary: {found.error}", flush=True)
    # Not sys.exit: a thread of Temporal's client may be handing back its last answer just now, and
    # an interpreter that ends in the middle of that is aborted.
    os._exit(0 if found.text else 1)
