"""`remit token`, `remit principal` and the first admin: who may do what, and how they prove it."""

import json
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from remit.cli.base import streams, token_files
from remit.errors import UnavailableError
from remit.operations.identities import revocation
from remit.stack.postgres import EmbeddedPostgres
from tests.cli.conftest import Remit, Shown, propose_arguments, without_ids
from tests.support.golden import golden
from tests.support.servers import make_blank

_numbers = count(1)


@pytest.fixture
def name() -> str:
    """Return a name that nobody has yet."""
    return f"newcomer-{next(_numbers)}"


def made(live: Remit, *arguments: str) -> dict[str, Any]:
    """Make a token as dana, and return what the command says of it."""
    shown = live("token", "create", *arguments, "--as", "dana", "--json")
    assert (shown.code, shown.err) == (0, "")
    found: dict[str, Any] = json.loads(shown.out)
    return found


def rows(live: Remit, *arguments: str) -> list[dict[str, Any]]:
    """Return the tokens that a command lists."""
    found: list[dict[str, Any]] = json.loads(live("token", "list", *arguments, "--json").out)[
        "tokens"
    ]
    return found


def test_a_token_stands_alone_on_standard_output_and_is_usable(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = live("token", "create", name, "--role", "proposer", "--as", "dana")
    assert shown.code == 0
    assert without_ids(shown.err) == f"{name}'s until {'T' * 24}; never shown again\n"
    monkeypatch.setenv("REMIT_TOKEN", shown.out.rstrip("\n"))
    done = live(*propose_arguments(), "--draft", "--json")
    assert json.loads(done.out)["outcomes"][0]["directive"]["issued_by"] == name


def test_a_kept_token_is_private_and_serves_as(live: Remit, name: str, folder: Path) -> None:
    shown = live(
        "token",
        "create",
        name,
        "--kind",
        "agent",
        "--role",
        "proposer",
        *("--keep", "--as", "dana"),
    )
    path = folder / "tokens" / name
    assert shown.err.splitlines()[1] == f"kept in {path}: --as {name} acts with it"
    assert path.read_text() == shown.out
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert live(*propose_arguments(), "--draft", "--as", name).code == 0


def test_a_token_that_cannot_be_kept_is_never_made(
    live: Remit,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tokens: Mapping[str, str],
) -> None:
    (tmp_path / "letter.txt").touch()
    monkeypatch.setenv("REMIT_TOKEN", tokens["dana"])
    arguments = (name, "--role", "proposer", "--keep", "--data-dir", str(tmp_path))
    shown = live("token", "create", *arguments)
    assert (shown.code, shown.out) == (2, "")
    assert "is not a Remit data directory" in shown.err
    assert [row for row in rows(live) if row["principal"] == name] == []


def test_a_token_for_which_there_is_no_room_is_never_made(
    live: Remit, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(token_files, "write_private", full)
    arguments = (name, "--role", "proposer", "--keep", "--as", "dana")
    shown = live("token", "create", *arguments)
    line = (
        f"remit: {folder}/tokens/{name} cannot be written (No space left on device), so that no "
        "token was made: make room for it, or name another folder with --data-dir or "
        "REMIT_DATA_DIR\n"
    )
    assert shown == Shown(2, "", line)
    assert [row for row in rows(live, "--as", "dana") if row["principal"] == name] == []


def test_a_token_that_can_neither_be_shown_nor_revoked_is_named(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        message = "the database does not answer"
        raise UnavailableError(message)

    monkeypatch.setattr(streams, "loss", lambda stream: "full" if stream is sys.stdout else None)
    monkeypatch.setattr(revocation, "revoke_token", gone)
    shown = live("token", "create", name, "--role", "proposer", "--as", "dana")
    identifier = UUID(shown.out.split("_")[1])
    line = (
        f"remit: the token of {name} could not be shown (full), and not be revoked (the database "
        f"does not answer): do so with `remit token revoke {identifier}`"
    )
    assert (shown.code, shown.err.splitlines()[-1]) == (3, line)


def test_a_token_as_json_is_whole(live: Remit, name: str) -> None:
    found = made(live, name, "--role", "proposer", "--scope", "propose", "--valid-for", "12h")
    assert found["token"].startswith(f"remit_{found['row']['id'].replace('-', '')}_")
    assert found["kept_in"] is None
    assert found["row"]["principal"] == name
    assert (found["row"]["scopes"], found["row"]["created_by"]) == (["propose"], "dana")
    assert "hash" not in found["row"]


def test_a_second_token_needs_nothing_but_the_name(live: Remit, name: str) -> None:
    made(live, name, "--kind", "agent", "--role", "proposer")
    assert made(live, name)["row"]["principal"] == name
    shown = live("token", "create", name, "--role", "operator", "--as", "dana")
    line = (
        f"remit: roles: {name} is known with roles ['proposer'], not ['operator']; leave it out, "
        "or change it with `remit principal set`\n"
    )
    assert shown == Shown(2, "", line)


def test_a_scope_limits_what_a_role_gives(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(live, name, "--role", "proposer", "--role", "approver", "--scope", "propose")
    monkeypatch.setenv("REMIT_TOKEN", found["token"])
    proposed = json.loads(live(*propose_arguments(scope="staging"), "--json").out)["outcomes"]
    identifier = proposed[0]["directive"]["id"]
    line = f"remit: the token of {name} does not cover vote; use one that does\n"
    assert live("approve", identifier).err.endswith(line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            "Ada --role proposer",
            (
                'name: "Ada" is no principal\'s name: use lower-case letters, digits, '
                "and . _ @ - after the first, at most 100 in all"
            ),
        ),
        ("ada2 --kind robot", "--kind: 'robot' is not known; say human, agent or service"),
        (
            "ada2 --role king",
            "--role: 'king' is not known; say proposer, approver, operator, auditor or admin",
        ),
        (
            "ada2 --scope fly",
            "--scope: 'fly' is not known; say propose, vote, operate, audit or administer",
        ),
        ("ada2", "role: ada2 is not known yet: say with which roles"),
        (
            "ada2 --role proposer --valid-for 400d",
            "valid_for: must be above zero and at most 366 days",
        ),
        (
            "ada2 --kind agent --role proposer --acts-for nobody",
            "nobody is known as 'nobody'; `remit principal list` shows who is",
        ),
    ],
)
def test_a_token_that_cannot_be_made_is_refused_in_one_line(
    live: Remit, arguments: str, line: str
) -> None:
    shown = live("token", "create", *arguments.split(), "--as", "dana")
    assert shown == Shown(2, "", f"remit: {line}\n")


@pytest.mark.parametrize("command", [("token", "create"), ("principal", "set")])
def test_an_agent_is_given_no_role_that_is_only_for_people(
    live: Remit, command: tuple[str, str]
) -> None:
    shown = live(*command, "planner", "--role", "admin", "--as", "dana")
    line = (
        "role: admin: only for people, since an agent can never vote or administer; say proposer, "
        "operator or auditor"
    )
    assert shown == Shown(2, "", f"remit: {line}\n")


def test_a_length_that_is_none_is_refused_by_its_option(live: Remit) -> None:
    shown = live("token", "create", "ada2", "--role", "proposer", "--valid-for", "soon")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("remit: --valid-for: ")


def test_only_an_admin_makes_tokens(live: Remit, name: str) -> None:
    shown = live("token", "create", name, "--role", "proposer")
    line = "remit: alice may not administer: that needs the role admin\n"
    assert shown == Shown(2, "", line)


def test_everybody_sees_their_own_tokens_and_an_admin_all(live: Remit) -> None:
    assert {row["principal"] for row in rows(live)} == {"alice"}
    assert {"alice", "bob", "dana"} <= {row["principal"] for row in rows(live, "--as", "dana")}
    shown = live("token", "list")
    [own] = rows(live)
    assert golden("token", "one's own tokens", id=own["id"][:8]) == without_ids(shown.out)


def test_a_revoked_token_ends_at_once(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(live, name, "--role", "proposer")
    identifier = found["row"]["id"]
    shown = live("token", "revoke", identifier[:10], "--as", "dana")
    assert shown == Shown(0, f"token {identifier} of {name} is revoked\n", "")
    monkeypatch.setenv("REMIT_TOKEN", found["token"])
    line = "remit: this token was revoked; an admin gives you another one by `remit token invite`\n"
    assert live(*propose_arguments()) == Shown(2, "", line)


def test_an_own_token_may_be_revoked_and_another_one_is_not_even_seen(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = made(live, name, "--role", "proposer"), made(live, name)
    foreign = made(live, "alice")["row"]["id"]
    monkeypatch.setenv("REMIT_TOKEN", own["token"])
    line = (
        f"remit: no token begins with {foreign.replace('-', '')}; `remit token list` shows them\n"
    )
    assert live("token", "revoke", foreign) == Shown(2, "", line)
    assert live("token", "revoke", other["row"]["id"]).code == 0
    line = "remit: id: give more of the token's identifier\n"
    assert live("token", "revoke", "123") == Shown(2, "", line)


def test_principals_are_listed_and_given_other_roles(live: Remit, name: str) -> None:
    made(live, name, "--kind", "agent", "--role", "proposer", "--acts-for", "alice")
    options = ("--role", "operator", "--role", "proposer", "--group", "release")
    shown = live("principal", "set", name, *options, "--as", "dana")
    assert [line.split("  ") for line in shown.out.splitlines()][1][0] == name
    assert shown.out.splitlines()[1].split() == [
        *(name, "agent", "operator,", "proposer", "release", "alice", "dana", "-")
    ]
    listed = json.loads(live("principal", "list", "--as", "dana", "--json").out)["principals"]
    [found] = [one for one in listed if one["principal"]["name"] == name]
    assert found["principal"]["roles"] == ["operator", "proposer"]
    line = "remit: alice may not administer or audit: that needs the role auditor or admin\n"
    assert live("principal", "list") == Shown(2, "", line)


def test_whoever_is_shut_out_can_do_nothing_more(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(live, name, "--role", "proposer")
    assert live("principal", "disable", name, "--as", "dana").code == 0
    shown = live("token", "create", name, "--as", "dana")
    assert shown == Shown(2, "", f"remit: name: {name} was shut out; choose another name\n")
    line = "remit: name: you cannot shut yourself out; ask another admin\n"
    assert live("principal", "disable", "dana", "--as", "dana") == Shown(2, "", line)
    monkeypatch.setenv("REMIT_TOKEN", found["token"])
    assert "belongs to somebody who was shut out" in live(*propose_arguments()).err


def test_the_first_admin_is_made_with_the_schema_and_let_in_again_later(
    live: Remit, postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make_blank(postgres_server, "remit_first_admin")
    monkeypatch.setenv("DATABASE_OWNER_URL", owner)
    shown = live("db", "upgrade", "--admin", "Nobody At All")
    assert shown.err.startswith('remit: --admin: "Nobody At All" is no principal\'s name')
    shown = live("db", "upgrade", "--admin", "ada")
    assert shown.code == 0
    said, token = shown.out.splitlines()
    assert said.startswith("the schema is at revision ")
    assert without_ids(shown.err) == f"ada's until {'T' * 24}; never shown again\n"
    again = live("db", "upgrade", "--admin", "ada")
    assert (again.code, again.out.splitlines()[0]) == (0, said)
    monkeypatch.setenv("DATABASE_URL", owner)
    for one in (token, again.out.splitlines()[1]):
        monkeypatch.setenv("REMIT_TOKEN", one)
        found = [(row["principal"], row["scopes"], row["created_by"]) for row in rows(live)]
        assert found == [("ada", [], "remit")] * 2
