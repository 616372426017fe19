"""Finding the services a command talks to: the environment's, else a running embedded stack's.

Every quick command calls this, so it imports no server, no client and no SQL library.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from remit.errors import UnavailableError
from remit.stack.layout import DataDir
from remit.stack.marks import process_mark
from remit.stack.state import StackInfo, read_state

if TYPE_CHECKING:
    from remit.settings import Settings

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Services:
    """The two services that Remit stands on.

    Attributes:
        database_url: Postgres, as postgresql+psycopg://...
        temporal_address: Temporal's front end, as host:port.
        temporal_namespace: namespace of all workflows.
        source: "environment" when both come from there, "embedded" when a stack gives either.
        policy_file: the policy in force, `REMIT_POLICY_FILE` before the stack's; None for the
            built-in one. Whoever decides under another policy than the worker's decides in vain:
            what they approve is void.
    """

    database_url: str
    temporal_address: str
    temporal_namespace: str
    source: Literal["environment", "embedded"]
    policy_file: Path | None = None


def find_stack(data_dir: Path) -> StackInfo | None:
    """Return the stack that runs on this data directory; None when none does.

    What a killed supervisor left in the directory does not count.

    Raises:
        MisconfiguredError: a stack wrote there that this version of Remit cannot read.
    """
    info = read_state(DataDir(data_dir))
    if info is None or process_mark(info.pid) != info.mark:
        return None
    return info


def wait_for_stack(data_dir: Path, *, timeout_seconds: float) -> StackInfo:
    """Return the stack as soon as it runs; look every 20 ms.

    Raises:
        UnavailableError: none ran within the time.
    """
    deadline = time.monotonic() + timeout_seconds
    while (info := find_stack(data_dir)) is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"no stack came up in {data_dir} within {timeout_seconds:g} s: read the logs there"
            )
        time.sleep(_POLL_SECONDS)
    return info


def normalize_database_url(url: str) -> str:
    """Return the URL with the driver that Remit uses; one that names a driver is left alone."""
    return re.sub(r"^(postgres|postgresql)://", "postgresql+psycopg://", url.strip())


def policy_file(settings: "Settings") -> Path | None:
    """Return the policy file in force: `REMIT_POLICY_FILE`, else the running stack's; None: none.

    Raises:
        MisconfiguredError: see :func:`find_stack`.
    """
    if settings.remit_policy_file is not None:
        return settings.remit_policy_file
    info = find_stack(settings.remit_data_dir)
    return Path(info.policy_file) if info is not None and info.policy_file else None


def resolve_services(settings: "Settings") -> Services:
    """Return where Postgres and Temporal are.

    `DATABASE_URL` and `TEMPORAL_ADDRESS` each replace their part; what they leave open a running
    stack must give.

    Raises:
        UnavailableError: a part is named nowhere and no stack runs.
        MisconfiguredError: see :func:`find_stack`.
    """
    database_url, address = settings.database_url, settings.temporal_address
    if database_url and address:
        return Services(
            normalize_database_url(database_url),
            address,
            settings.temporal_namespace,
            "environment",
            settings.remit_policy_file,
        )
    info = find_stack(settings.remit_data_dir)
    if info is None:
        missing = [
            name
            for name, value in (("DATABASE_URL", database_url), ("TEMPORAL_ADDRESS", address))
            if not value
        ]
        raise UnavailableError(
            f"no stack is running in {settings.remit_data_dir}: start one with `remit up`, "
            f"or set {' and '.join(missing)}"
        )
    return Services(
        normalize_database_url(database_url) if database_url else info.database_url,
        address or info.temporal_address,
        settings.temporal_namespace,
        "embedded",
        policy_file(settings),
    )
