"""Who gives a command is what their token says, and nothing that they claim themselves."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.cli.base.token_files import account_name
from tests.cli.conftest import Remit, Shown, propose_arguments

NO_TOKEN = (
    "remit: it is not known who you are: set REMIT_TOKEN to a token that `remit token create` "
    "made, or name one that is kept here with --as\n"
)
CONTENT = {"role": "operator", "type": "noop", "objective": "rest", "scope": "test"}


def proposed(live: Remit, *options: str, **changed: str | None) -> str:
    """Propose a directive and return its id."""
    shown = live(*propose_arguments(**changed), *options, "--json")
    assert shown.err == ""
    identifier: str = json.loads(shown.out)["outcomes"][0]["directive"]["id"]
    return identifier


@pytest.mark.parametrize(
    "command",
    [
        "propose - --draft",
        "submit 1234",
        "retry 1234",
        "approve 1234",
        "reject 1234 --reason no",
        "cancel 1234",
        "token create ada",
        "token list",
        "token revoke 1234",
        "principal list",
        "principal set ada",
        "principal disable ada",
    ],
)
def test_without_a_token_nothing_is_done_and_one_line_says_how_to_get_one(
    live: Remit, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("REMIT_TOKEN")
    shown = live(*command.split(), stdin=json.dumps(CONTENT).encode())
    assert shown == Shown(2, "", NO_TOKEN)


def test_without_a_token_everybody_may_still_look(
    live: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = proposed(live, scope="staging")
    monkeypatch.delenv("REMIT_TOKEN")
    assert live("show", identifier).code == 0
    assert live("list").code == 0


def test_a_token_that_is_kept_for_this_account_is_used_by_itself(
    live: Remit, monkeypatch: pytest.MonkeyPatch, folder: Path, tokens: Mapping[str, str]
) -> None:
    monkeypatch.delenv("REMIT_TOKEN")
    path = folder / "tokens" / account_name()
    before = path.read_text() if path.exists() else None
    path.touch(mode=0o600)
    path.write_text(tokens["planner"])
    try:
        shown = live(*propose_arguments(), "--draft", "--json")
    finally:
        path.write_text(before) if before else path.unlink()
    assert json.loads(shown.out)["outcomes"][0]["directive"]["issued_by"] == "planner"


def test_nobody_acts_under_a_name_whose_token_is_not_kept(live: Remit, folder: Path) -> None:
    shown = live("cancel", "1234", "--as", "mallory")
    line = (
        f"remit: --as: no token of mallory is kept in {folder}/tokens: make one with "
        "`remit token create mallory --keep`\n"
    )
    assert shown == Shown(2, "", line)


@pytest.mark.parametrize("name", ["../keys/signing.pem", "/etc/passwd", "..", ""])
def test_a_name_leads_to_no_other_file(live: Remit, name: str) -> None:
    shown = live("cancel", "1234", "--as", name)
    assert (shown.code, shown.out) == (2, "")
    assert "is no principal's name" in shown.err


def test_a_kept_token_that_others_can_read_is_refused(live: Remit, folder: Path) -> None:
    path = folder / "tokens" / "carol"
    path.chmod(0o640)
    try:
        shown = live("cancel", "1234", "--as", "carol")
    finally:
        path.chmod(0o600)
    line = (
        f"remit: {path} holds a token and can be read by others: chmod 600 it, or make another "
        "token\n"
    )
    assert shown == Shown(2, "", line)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda token: "hunter2",
            (
                "this is no token: it begins with remit_ and is 82 characters long; "
                "`remit token create` makes one"
            ),
        ),
        (
            lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
            "this token is not known here; use one that was made here",
        ),
    ],
    ids=["no token", "another secret"],
)
def test_a_token_that_does_not_hold_is_refused_and_not_repeated(
    live: Remit,
    monkeypatch: pytest.MonkeyPatch,
    tokens: Mapping[str, str],
    change: object,
    line: str,
) -> None:
    assert callable(change)
    bad = change(tokens["alice"])
    monkeypatch.setenv("REMIT_TOKEN", bad)
    shown = live("cancel", "1234")
    assert shown == Shown(2, "", f"remit: {line}\n")
    assert json.loads(live("cancel", "1234", "--json").err)["error"]["type"] == "unauthenticated"


def test_a_directive_is_issued_by_whose_token_proposes_it(live: Remit) -> None:
    identifier = proposed(live, "--as", "planner")
    found = json.loads(live("show", identifier, "--json").out)
    assert found["directive"]["issued_by"] == "planner"
    assert found["events"][0]["actor"] == "planner"


@pytest.mark.parametrize("place", ["", "a list of "])
def test_a_file_that_names_another_issuer_is_refused_and_nothing_is_written(
    live: Remit, place: str
) -> None:
    content = CONTENT | {"objective": f"{place}pretend", "issued_by": "bob"}
    text = json.dumps([CONTENT | {"objective": f"{place}pretend"}, content] if place else content)
    shown = live("propose", "-", stdin=text.encode())
    line = (
        "remit: issued_by: you are alice, and a directive is issued by whoever proposes it; leave "
        "this out, or use that principal's token\n"
    )
    assert shown == Shown(2, "", line)
    assert f"{place}pretend" not in live("list", "--json").out


def test_a_file_may_name_whoever_proposes_it(live: Remit) -> None:
    text = json.dumps(CONTENT | {"issued_by": "alice"})
    assert live("propose", "-", "--draft", stdin=text.encode()).code == 0


def test_the_size_limit_measures_the_directive_with_whoever_issues_it(
    live: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    content: JsonObject = {**CONTENT, "payload": {"note": "x" * 1024}}
    nulls = dict.fromkeys(("constraints", "success_metrics", "budget", "timebox"))
    stored = canonical_json({**content, **nulls, "issued_by": "alice"})
    monkeypatch.setenv("REMIT_MAX_DIRECTIVE_BYTES", str(len(stored)))
    text = json.dumps(content).encode()
    assert live("propose", "-", "--draft", stdin=text).code == 0
    shown = live("propose", "-", "--draft", "--as", "planner", stdin=text)
    line = f"at most {len(stored)} bytes of canonical JSON; shorten the payload"
    assert shown == Shown(2, "", f"remit: too large: {line}\n")


def test_an_agent_can_propose_and_never_vote(live: Remit) -> None:
    identifier = proposed(live, "--as", "planner", scope="staging")
    for verb in (("approve",), ("reject", "--reason", "no")):
        shown = live(verb[0], identifier, *verb[1:], "--as", "planner", "--json")
        assert (shown.code, shown.out) == (2, "")
        assert json.loads(shown.err)["error"] == {
            "type": "forbidden",
            "field": None,
            "message": "planner is an agent, and only a person may vote; ask one",
            "retryable": False,
        }
    shown = live("show", identifier, "--json")
    assert json.loads(shown.out)["votes"] == []


def test_nobody_cancels_what_another_issued_unless_they_operate(live: Remit) -> None:
    identifier = proposed(live, scope="staging")
    shown = live("cancel", identifier, "--as", "planner")
    line = "remit: planner may not operate: that needs the role operator or admin\n"
    assert shown == Shown(2, "", line)
    assert live("cancel", identifier, "--as", "dana").code == 0


def test_a_kept_token_that_cannot_be_read_is_named(live: Remit, folder: Path) -> None:
    path = folder / "tokens" / "eve"
    path.touch(mode=0o600)
    path.write_bytes(b"\xff")
    line = f"remit: {path} cannot be read: mend or remove it\n"
    assert live("cancel", "1234", "--as", "eve") == Shown(2, "", line)


@pytest.mark.parametrize(("login", "name"), [("Ada Lovelace", "ada-lovelace"), (None, "operator")])
def test_an_account_is_called_by_its_login_name_as_names_are_written(
    monkeypatch: pytest.MonkeyPatch, login: str | None, name: str
) -> None:
    def entry(_: int) -> SimpleNamespace:
        if login is None:
            raise KeyError
        return SimpleNamespace(pw_name=login)

    monkeypatch.setattr("pwd.getpwuid", entry)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert account_name() == name
