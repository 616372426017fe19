"""Bad input gets one line that names the field and the fix, exit code 2, and writes nothing."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.errors import UnavailableError
from tests.cli.conftest import Remit, Shown, propose_arguments
from tests.support.policies import whole

GOOD = '{"role": "operator", "type": "echo", "objective": "say hello", "scope": "test"}'
NO_OBJECT = (
    "a directive must be a JSON object with the fields role, type, payload, issued_by, objective, "
    "scope, constraints, success_metrics, budget, timebox, status and idempotency_key"
)
NO_TYPE = "type: missing: name the module that is to execute it, as `remit modules` lists them"
KNOWN = (
    "known fields are role, type, payload, issued_by, objective, scope, constraints, "
    "success_metrics, budget, timebox, status and idempotency_key"
)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"objective": None}, "objective: missing: say what is to be achieved"),
        ({"objective": " "}, "objective: empty: say what is to be achieved"),
        (
            {"objective": "a\0b"},
            "objective: holds a NUL byte: remove it",
        ),
        ({"payload": '{"a":'}, "payload: not JSON: expecting value at column 6"),
        ({"payload": "[1]"}, "payload: must be a JSON object"),
        (
            {"payload": "{'a': 1}"},
            "payload: not JSON: expecting property name enclosed in double quotes at column 2",
        ),
        ({"payload": '{"a": NaN}'}, "payload: holds NaN, which is not JSON: use null or text"),
        (
            {"payload": '{"a": 1, "a": 2}'},
            'payload: the key "a" stands twice in one object: keep one',
        ),
        (
            {"payload": "@nowhere.json"},
            "payload: nowhere.json: cannot be read (No such file or directory): name a file",
        ),
        ({"payload": "[" * 100_000}, "payload: nested too deeply: flatten it"),
        (
            {"payload": '{"a": "' + "x" * 70_000 + '"}'},
            "too large: at most 65536 bytes of canonical JSON; shorten the payload",
        ),
        ({"scope": "test\x1b[31m"}, "scope: holds an invisible character (U+001B): remove it"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_option_is_refused_in_one_line(
    remit: Remit, changed: dict[str, str | None], line: str
) -> None:
    shown = remit(*propose_arguments(**changed))
    assert shown == Shown(2, "", f"remit: {line}\n")


@pytest.mark.parametrize("name", ["budget", "timebox"])
def test_an_unparsable_budget_or_timebox_is_refused_by_name(remit: Remit, name: str) -> None:
    shown = remit(*propose_arguments(**{name: "lots"}))
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert shown.err.startswith(f"remit: {name}: ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "standard input: holds no directive: write a JSON object, or one on each line"),
        ('{\n "role":', "standard input: not JSON: expecting value at line 2, column 9"),
        (
            "3",
            NO_OBJECT,
        ),
        (
            f"[{GOOD}, 3]",
            f"item 2: {NO_OBJECT}",
        ),
        (f'{GOOD}\n\n{{"role":', "line 3: not JSON: expecting value at column 9"),
        (f'{GOOD}\n{GOOD[:-1]}, "speed": 1}}', f"line 2: speed: unknown field; {KNOWN}"),
        (
            f'{GOOD}\n{{"role": "operator"}}',
            f"line 2: {NO_TYPE}",
        ),
        (f'{GOOD}\n{GOOD[:-1]}, "status": "done"}}', 'line 2: status: say "draft" or "proposed"'),
        (
            f'{GOOD}\n{GOOD[:-1]}, "payload": {{"a": "\\u0000"}}}}',
            "line 2: payload.a: holds a NUL byte: remove it",
        ),
        (b"{}\n\xff", "standard input: line 2 is not UTF-8 text: save it so"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_file_is_refused_with_the_place_of_the_fault(
    remit: Remit, text: str | bytes, line: str
) -> None:
    raw = text.encode() if isinstance(text, str) else text
    shown = remit("propose", "-", stdin=raw)
    assert shown == Shown(2, "", f"remit: {line}\n")


def test_a_budget_in_a_file_is_refused_with_its_line(remit: Remit, tmp_path: Path) -> None:
    file = tmp_path / "directives.jsonl"
    file.write_text(f'{GOOD[:-1]}, "budget": "a lot"}}\n')
    shown = remit("propose", str(file))
    assert shown.code == 2
    assert shown.err.startswith("remit: line 1: budget: ")


def test_options_beside_a_file_are_refused(remit: Remit) -> None:
    shown = remit("propose", "-", "--scope", "test", stdin=GOOD.encode())
    line = "remit: --scope: cannot stand beside a file: write it into the file\n"
    assert (shown.code, shown.err) == (2, line)


def test_a_draft_that_says_it_is_proposed_is_refused(remit: Remit) -> None:
    text = f'{GOOD}\n{GOOD[:-1]}, "status": "proposed"}}'
    shown = remit("propose", "-", "--draft", stdin=text.encode())
    line = 'line 2: status: says "proposed", and --draft says otherwise: remove one of them'
    assert (shown.code, shown.err) == (2, f"remit: {line}\n")


def test_with_json_the_line_is_an_object_and_standard_output_stays_empty(remit: Remit) -> None:
    shown = remit(*propose_arguments(objective=None), "--json")
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert json.loads(shown.err) == {
        "error": {
            "type": "invalid_input",
            "field": "objective",
            "message": "missing: say what is to be achieved",
            "retryable": False,
        }
    }


@pytest.mark.parametrize(
    "verb", ["list", "show 1234", "watch", "propose -", "cancel 1234", "db upgrade"]
)
def test_without_a_stack_each_command_says_how_to_get_one(
    remit: Remit, verb: str, tmp_path: Path
) -> None:
    shown = remit(*verb.split(), stdin=GOOD.encode())
    line = (
        f"remit: no stack is running in {tmp_path}/nothing: start one with `remit up --data-dir "
        f"{tmp_path}/nothing`, or set DATABASE_URL and TEMPORAL_ADDRESS\n"
    )
    assert shown == Shown(2, "", line)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Return a port of this machine on which nobody listens, held so that nobody can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def test_an_unreachable_database_is_one_line(
    remit: Remit, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:secret@127.0.0.1:{closed_port}/remit")
    shown = remit("list")
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    start = f"remit: the database at 127.0.0.1:{closed_port}/remit does not answer ("
    assert shown.err.startswith(start)
    assert shown.err.endswith("); start it, or correct DATABASE_URL\n")
    assert "secret" not in shown.err


def test_an_unreachable_temporal_is_found_before_anything_is_written(
    live: Remit, monkeypatch: pytest.MonkeyPatch, closed_port: int, engine: sa.Engine
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{closed_port}")
    shown = live(*propose_arguments())
    line = (
        f"remit: Temporal at 127.0.0.1:{closed_port} does not answer; "
        "start it, or correct TEMPORAL_ADDRESS\n"
    )
    assert shown == Shown(2, "", line)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM directives")).scalar_one() == 0


def test_one_bad_line_keeps_the_good_ones_out_too(live: Remit, engine: sa.Engine) -> None:
    shown = live("propose", "-", stdin=f"{GOOD}\n{{}}\n".encode())
    assert shown.code == 2
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM directives")).scalar_one() == 0


@pytest.mark.parametrize(
    ("identifier", "line"),
    [
        ("abc", "id: too short: give it whole, or at least its first 4 characters"),
        ("zzzz", "id: not an identifier: those are hexadecimal, of 0-9, a-f and dashes"),
        ("dead", "no directive begins with dead; `remit list` shows those there are"),
        (
            str(UUID(int=0)),
            f"there is no directive {UUID(int=0)}; `remit list` shows those there are",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["show", "approve", "cancel", "retry", "submit", "watch"])
def test_an_unknown_id_is_refused_by_every_command(
    live: Remit, verb: str, identifier: str, line: str
) -> None:
    shown = live(verb, identifier)
    assert shown == Shown(2, "", f"remit: {line}\n")


def test_a_rejection_without_a_reason_is_refused_at_once(remit: Remit) -> None:
    shown = remit("reject", "1234")
    assert (shown.code, shown.err) == (2, "remit: reason: missing: a rejection needs a reason\n")


def test_an_unknown_status_is_refused_with_those_there_are(remit: Remit) -> None:
    shown = remit("list", "--status", "done")
    line = (
        'remit: status: unknown directive status "done"; the statuses are draft, proposed, '
        "approved, executing, complete, blocked and aborted\n"
    )
    assert (shown.code, shown.err) == (2, line)


def test_a_bad_policy_file_is_refused_before_anything_starts(remit: Remit, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(whole('version = "1"\nceiling = 3\n'))
    line = (
        f"remit: {file}: ceiling: unknown key; "
        "known here: version, approval, budget, tools, scopes, grant and end\n"
    )
    for command in (["policy", "check", str(file)], ["up", "--policy-file", str(file)]):
        shown = remit(*command)
        assert shown == Shown(2, "", line)


def test_a_data_directory_of_another_version_is_refused(remit: Remit, tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("99\n")
    shown = remit("up", "--data-dir", str(tmp_path))
    line = (
        f"remit: {tmp_path} has layout version '99', this Remit needs 1: "
        "use the Remit that made it, or another directory with --data-dir\n"
    )
    assert shown == Shown(2, "", line)


def test_an_unusable_variable_is_named(remit: Remit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_SWEEP_SECONDS", "soon")
    shown = remit("list")
    assert shown.code == 2
    assert shown.err.startswith("remit: REMIT_SWEEP_SECONDS is not usable: ")


def test_a_name_that_nobody_can_have_is_refused(live: Remit) -> None:
    shown = live("cancel", "1234", "--as", " ")
    line = (
        'remit: --as: " " is no principal\'s name: use lower-case letters, digits, and . _ @ - '
        "after the first, at most 100 in all\n"
    )
    assert shown == Shown(2, "", line)


def test_the_retryable_kind_of_error_says_so(
    remit: Remit,
) -> None:
    shown = remit("list", "--json")
    assert json.loads(shown.err)["error"]["retryable"] is UnavailableError.retryable
