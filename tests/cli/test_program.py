"""The program around the commands: its help, its start, and what becomes of errors."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from remit.cli.views import policy as policy_views
from tests.cli.conftest import Remit, Shown, environment, program

HEAVY = {"alembic", "psycopg", "pydantic", "rich.live", "sqlalchemy", "temporalio"}

COMMANDS = (
    *("propose", "submit", "approve", "reject", "cancel", "retry", "list", "show", "watch"),
    *("explain", "trace", "top", "modules", "schema", "policy", "up", "worker", "db"),
    *("token", "principal", "keys", "artifacts", "memory"),
)

MODELS_AND_STORES = {"numpy", "obstore", "openai", "wordllama"}
"""What a command loads when a model or a store is asked, and not before."""


def loaded_by(*arguments: str, **variables: str) -> set[str]:
    """Return the modules that a command line loads."""
    code = (
        "import sys, json, io\n"
        "from remit.cli.main import run\n"
        "sys.stdout = io.StringIO()\n"
        "run(sys.argv[1:])\n"
        "sys.__stdout__.write(json.dumps(sorted(sys.modules)))\n"
        "sys.__stdout__.flush()\n"  # the interpreter's end flushes sys.stdout, and that is ours
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment(**variables),
    )
    return set(json.loads(ran.stdout))


@pytest.mark.parametrize(
    "command",
    ["--help", "propose --help", "up --help", "--version", "memory --help", "artifacts put --help"],
)
def test_help_and_the_version_load_none_of_the_large_libraries(command: str) -> None:
    assert loaded_by(*command.split()).isdisjoint(HEAVY | MODELS_AND_STORES)


@pytest.mark.parametrize(("optimize", "told"), [("", False), ("1", False), ("2", True)])
def test_a_help_without_descriptions_says_why(optimize: str, *, told: bool) -> None:
    shown = subprocess.run(
        program("--help"),
        capture_output=True,
        text=True,
        check=True,
        env=environment(PYTHONOPTIMIZE=optimize, COLUMNS="400"),
    )
    assert ("PYTHONOPTIMIZE=2" in shown.stdout) is told
    assert ("List directives, the newest first." in shown.stdout) is not told


@pytest.mark.parametrize(
    ("command", "provider"),
    [
        ("list", "openai"),
        ("artifacts list", "openai"),
        ("memory recent", "openai"),
        ("memory embed", "local"),
        ("memory search x", "local"),
    ],
)
def test_no_model_and_no_store_is_loaded_before_one_is_asked(
    tmp_path: Path, command: str, provider: str
) -> None:
    loaded = loaded_by(
        *command.split(),
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere",
        REMIT_DATA_DIR=str(tmp_path),
        EMBEDDING_PROVIDER=provider,
        OPENAI_API_KEY="sk-none",
    )
    assert "remit.db.engine" in loaded, "the command came as far as its database"
    assert loaded.isdisjoint(MODELS_AND_STORES)


def test_the_help_names_every_command_and_the_exit_codes(remit: Remit) -> None:
    shown = remit("--help")
    assert shown.code == 0
    assert [name for name in COMMANDS if f" {name} " not in shown.out] == []
    assert "Exit codes: 0 done; 1 the outcome is not the hoped one" in shown.out
    assert remit().out == shown.out, "with no command at all, the help is shown"


@pytest.mark.parametrize("words", [(), ("policy",), ("policy", "check")])
def test_help_as_a_word_is_the_help_of_what_follows(remit: Remit, words: tuple[str, ...]) -> None:
    assert remit("help", *words) == remit(*words, "--help")


@pytest.mark.parametrize("group", ["policy", "keys", "artifacts", "token"])
def test_a_group_without_a_command_shows_its_help_and_no_empty_message(
    remit: Remit, group: str
) -> None:
    shown = remit(group)
    assert (shown.code, shown.err) == (2, "")
    assert shown.out.strip() == remit(group, "--help").out.strip()


def test_every_command_has_help(remit: Remit) -> None:
    below = (
        *("policy check", "policy show", "db upgrade", "token create", "principal set"),
        *(f"artifacts {name}" for name in ("list", "show", "get", "put", "gc", "check")),
        *(f"memory {name}" for name in ("add", "load", "embed", "search", "recent")),
    )
    for name in (*COMMANDS, *below):
        shown = remit(*name.split(), "--help")
        assert (shown.code, shown.err) == (0, ""), name
        assert f"Usage: remit {name}" in shown.out


def test_the_version_is_that_of_the_package(remit: Remit) -> None:
    shown = remit("--version")
    try:
        assert shown == Shown(0, f"remit {version('remit')}\n", "")
    except PackageNotFoundError:
        assert shown == Shown(0, "remit of a checkout that is not installed\n", "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("nope", "no such command 'nope'; see `remit --help`"),
        ("show", "missing argument 'ID'; see `remit show --help`"),
        ("list --colour", "no such option: --colour; see `remit list --help`"),
        (
            "up --temporal-port 99999",
            (
                "invalid value for '--temporal-port': Input should be less than or equal to "
                "65535; see `remit up --help`"
            ),
        ),
        (
            "list --limit 0",
            (
                "invalid value for '--limit': Input should be greater than or equal to 1; "
                "see `remit list --help`"
            ),
        ),
    ],
)
def test_a_mistyped_command_line_is_one_line_and_exit_code_2(
    remit: Remit, arguments: str, line: str
) -> None:
    assert remit(*arguments.split()) == Shown(2, "", f"remit: {line}\n")


def test_a_mistyped_command_line_is_an_object_with_json(remit: Remit) -> None:
    shown = remit("show", "--json")
    assert shown.code == 2
    assert json.loads(shown.err)["error"]["message"] == (
        "missing argument 'ID'; see `remit show --help`"
    )


def broken(*_: object, **__: object) -> None:
    message = "a wheel\nfell off"
    raise LookupError(message)


def test_a_defect_is_one_line_that_says_how_to_see_more(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_views, "summary", broken)
    policy = Path(policy_views.__file__).parents[2] / "policy" / "default.toml"
    shown = remit("policy", "check", str(policy))
    line = (
        "remit: this is a defect of Remit (LookupError: a wheel fell off); "
        "`remit --debug ...` shows the traceback\n"
    )
    assert (shown.code, shown.err) == (70, line)
    assert json.loads(remit("policy", "check", str(policy), "--json").out)["digest"]


def test_debug_shows_the_traceback_of_a_defect(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_views, "summary", broken)
    policy = Path(policy_views.__file__).parents[2] / "policy" / "default.toml"
    shown = remit("--debug", "policy", "check", str(policy))
    assert shown.code == 70
    assert "Traceback (most recent call last)" in shown.err


def test_ctrl_c_ends_with_exit_code_130_and_without_a_word(tmp_path: Path) -> None:
    read, write = os.pipe()
    process = subprocess.Popen(
        program("propose", "-"),
        stdin=read,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(REMIT_DATA_DIR=str(tmp_path)),
    )
    os.close(read)
    time.sleep(2)  # it waits for standard input by now
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    os.close(write)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    process = subprocess.Popen(
        program("schema"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 0
    assert err == b""


def test_completion_for_a_shell_is_printed() -> None:
    ran = subprocess.run(
        program("propose", "--sc"),
        capture_output=True,
        text=True,
        check=False,
        env=environment(
            _REMIT_COMPLETE="complete_bash", COMP_WORDS="remit propose --sc", COMP_CWORD="2"
        ),
    )
    assert ran.stdout.split() == ["--scope"]
