"""What a stack is started with, and what it tells while it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

WorkerEvent = Literal["worker", "worker_lost", "llm_worker", "llm_worker_lost"]
"""What a worker's keeper tells."""

EventName = Literal["postgres", "database", "temporal", "stack"] | WorkerEvent


@dataclass(frozen=True)
class StackEvent:
    """Something that has just come about, so many seconds after `Stack.start` was called.

    "postgres" and "temporal" answer; "database" is migrated; "worker" and "llm_worker" poll their
    queues (again after each loss); "stack" is complete.
    """

    name: EventName
    seconds: float


@dataclass(frozen=True)
class StackOptions:
    """What a stack is started with.

    Attributes:
        temporal_port: None picks a free one, as for `temporal_ui_port`.
        database_url: a Postgres to use in place of the embedded one; None embeds. The next two are
            the same Postgres for its owner, and for modules; None: as `database_url`.
        temporal_address: a Temporal to use in place of the embedded one; None embeds.
        policy_file: the worker's policy; None for the built-in one.
        modules: more modules for the worker, as package.module:Class, comma-separated.
        worker_argv: command line of the worker; None for `remit worker`.
        llm_provider: the provider whose language models a second worker asks; None runs none.
    """

    temporal_port: int | None = None
    temporal_ui_port: int | None = None
    temporal_namespace: str = "default"
    database_url: str | None = None
    database_owner_url: str | None = None
    database_module_url: str | None = None
    temporal_address: str | None = None
    policy_file: Path | None = None
    modules: str = ""
    worker: bool = True
    worker_argv: Sequence[str] | None = None
    llm_provider: str | None = None
    llm_worker_argv: Sequence[str] | None = None
