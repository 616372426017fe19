"""What a stack is started with, and what it tells while it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

EventName = Literal["postgres", "database", "temporal", "worker", "worker_lost", "stack"]


@dataclass(frozen=True)
class StackEvent:
    """Something that has just come about.

    Attributes:
        name: "postgres" and "temporal" answer; "database" is migrated; "worker" polls its queues
            (again after each "worker_lost"); "stack" is complete.
        seconds: how long after `Stack.start` was called.
    """

    name: EventName
    seconds: float


@dataclass(frozen=True)
class StackOptions:
    """What a stack is started with.

    Attributes:
        temporal_port: port of Temporal's front end; None picks a free one.
        temporal_ui_port: port of Temporal's web page; None picks a free one.
        temporal_namespace: namespace of all workflows.
        database_url: a Postgres to use in place of the embedded one; None embeds.
        database_owner_url: the same Postgres for its owner, who migrates it; None: as above.
        database_module_url: the same Postgres for modules; None: as above, in their role.
        temporal_address: a Temporal to use in place of the embedded one; None embeds.
        policy_file: the worker's policy; None for the built-in one.
        modules: more modules for the worker, as package.module:Class, comma-separated.
        worker: whether to run a worker.
        worker_argv: command line of the worker; None for `remit worker`.
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
