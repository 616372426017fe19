"""`remit token invite`, `redeem`, `invitations`, `withdraw`, and `revoke --since`."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Remit, Shown, propose_arguments, without_ids

_numbers = count(1)


@pytest.fixture
def name() -> str:
    """Return a name that nobody has yet."""
    return f"guest-{next(_numbers)}"


def code_for(live: Remit, name: str, *options: str) -> str:
    shown = live("token", "invite", name, "--role", "approver", *options, "--as", "dana")
    assert shown.code == 0
    return shown.out.rstrip("\n")


def test_a_code_stands_alone_on_standard_output(live: Remit, name: str) -> None:
    shown = live("token", "invite", name, "--role", "approver", "--as", "dana")
    assert shown.code == 0
    assert shown.out.startswith("remit_invite_")
    assert len(shown.out) == 90
    assert without_ids(shown.err) == (
        f"for {name}, once, until {'T' * 24}: they run `remit token redeem`; never shown again\n"
    )


def test_a_code_is_redeemed_without_any_other_token_and_kept(
    live: Remit, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_for(live, name)
    monkeypatch.delenv("REMIT_TOKEN", raising=False)
    shown = live("token", "redeem", code, "--keep")
    assert shown.code == 0
    assert (folder / "tokens" / name).read_text() == shown.out
    [row] = json.loads(live("token", "list", "--as", name, "--json").out)["tokens"]
    assert (row["created_by"], row["created_with"], row["redeemed"]) == (name, None, True)
    again = live("token", "redeem", code)
    assert (again.code, again.out) == (2, "")
    assert again.err.startswith("remit: this invitation was redeemed at ")


def test_a_code_may_come_from_a_file_or_from_standard_input(
    live: Remit, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "code"
    path.write_text(code_for(live, name) + "\n")
    assert live("token", "redeem", "--file", str(path)).code == 0
    for arguments in ((), ("--file", "-")):
        shown = live("token", "redeem", *arguments, stdin=f"{code_for(live, name)}\n".encode())
        assert shown.out.startswith("remit_")


def test_a_code_that_is_none_is_refused_in_one_line_that_repeats_nothing_of_it(
    live: Remit, tmp_path: Path
) -> None:
    line = (
        "remit: this is no invitation's code: it begins with remit_invite_ and is 89 characters "
        "long; `remit token invite` makes one\n"
    )
    assert live("token", "redeem", "sesame") == Shown(2, "", line)
    line = "remit: code: give the code, or a file that holds it, and not both\n"
    assert live("token", "redeem", "sesame", "--file", "x") == Shown(2, "", line)
    line = f"remit: --file: {tmp_path}/none cannot be read as a code\n"
    assert live("token", "redeem", "--file", f"{tmp_path}/none") == Shown(2, "", line)


def test_invitations_are_listed_and_withdrawn(live: Remit, name: str) -> None:
    made = json.loads(
        live("token", "invite", name, "--role", "approver", "--as", "dana", "--json").out
    )
    identifier = made["row"]["id"]
    assert identifier in [row["id"] for row in listed(live)]
    table = live("token", "invitations", "--as", "dana").out.splitlines()
    assert table[0].split() == [
        *("ID", "PRINCIPAL", "SCOPES", "MADE", "BY", "EXPIRES", "REDEEMED", "TOKEN", "REVOKED")
    ]
    shown = live("token", "withdraw", identifier[:10], "--as", "dana")
    assert shown == Shown(0, f"invitation {identifier} of {name} is revoked\n", "")
    line = "remit: this invitation was revoked; ask an admin for another one\n"
    assert live("token", "redeem", made["code"]) == Shown(2, "", line)


def listed(live: Remit) -> list[dict[str, Any]]:
    shown = live("token", "invitations", "--as", "dana", "--json")
    found: list[dict[str, Any]] = json.loads(shown.out)["invitations"]
    return found


def test_a_revocation_since_a_moment_names_all_that_it_ends(live: Remit, name: str) -> None:
    code = code_for(live, name)
    made = json.loads(live("token", "redeem", code, "--keep", "--json").out)["row"]
    proposed = json.loads(live(*propose_arguments(scope="staging"), "--json").out)["outcomes"]
    directive = proposed[0]["directive"]["id"]
    assert live("approve", directive, "--yes", "--as", name).code == 0
    shown = live(
        "token", "revoke", made["id"], "--since", made["created_at"], "--as", "dana", "--json"
    )
    said = json.loads(shown.out)
    assert said["token"]["revoked_since"] == made["created_at"]
    became = said["directives"]
    assert directive in [*became["voided"], *became["ran"]]


@pytest.mark.parametrize(
    ("since", "line"),
    [
        (
            "yesterday",
            (
                '--since: "yesterday" is no moment: write it with its zone, like '
                "2026-01-31T14:05Z, or like 2h for two hours ago"
            ),
        ),
        (
            "2026-01-31T14:05",
            (
                '--since: "2026-01-31T14:05" is no moment: write it with its zone, like '
                "2026-01-31T14:05Z, or like 2h for two hours ago"
            ),
        ),
        ("2999-01-01T00:00Z", "since: is to come: say since when the token was misused"),
    ],
)
def test_a_moment_that_is_none_is_refused_in_one_line(
    live: Remit, name: str, since: str, line: str
) -> None:
    made = json.loads(live("token", "redeem", code_for(live, name), "--json").out)["row"]
    shown = live("token", "revoke", made["id"], "--since", since, "--as", "dana")
    assert shown == Shown(2, "", f"remit: {line}\n")
    # Nothing was done with it before it was made: all that ever was done with it is meant.
    shown = live("token", "revoke", made["id"], "--since", "2h ago", "--as", "dana")
    assert shown == Shown(0, f"token {made['id']} of {name} is revoked\n", "")


def test_where_two_admins_are_asked_one_proposes_and_the_other_gets_the_code(
    live: Remit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = f"{name}-admin"
    code = live("token", "invite", second, "--role", "admin", "--as", "dana").out.strip()
    assert live("token", "redeem", code, "--keep").code == 0
    said = "a second admin is asked to make approvers and admins\n"
    assert live("principal", "four-eyes", "on", "--as", "dana") == Shown(0, said, "")
    try:
        shown = live("token", "invite", name, "--role", "approver", "--as", "dana")
        assert shown.out.startswith("proposed: another admin runs `remit principal confirm ")
        proposal = shown.out.strip().rstrip("`").rpartition(" ")[2]
        refused = live("principal", "confirm", proposal, "--as", "dana")
        line = "remit: dana proposed it; another admin confirms it\n"
        assert refused == Shown(2, "", line)
        table = live("principal", "proposals", "--as", second).out.splitlines()
        assert table[1].split()[:4] == [proposal[:8], "invite", name, "approver"]
        confirmed = live("principal", "confirm", proposal, "--as", second)
        assert confirmed.out.startswith("remit_invite_")
        shown = live("principal", "set", name, "--role", "admin", "--as", "dana", "--json")
        proposal = json.loads(shown.out)["proposal"]
        assert live("principal", "confirm", proposal, "--as", second).code == 0
    finally:
        shown = live("principal", "four-eyes", "off", "--as", "dana", "--json")
        off = json.loads(shown.out)["proposal"]
        said = "a second admin is not asked to make approvers and admins\n"
        assert live("principal", "confirm", off, "--as", second) == Shown(0, said, "")
    assert live("principal", "four-eyes", "off", "--as", "dana") == Shown(0, said, "")
