"""`remit policy install`, `confirm` and `show`: which policy may be decided by, and who said so."""

import json
import os
import stat
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.cli.base import file_writing
from remit.policy.config import default_policy, load_policy, parse_policy
from tests.cli.conftest import Remit, Shown, propose_arguments
from tests.support.golden import golden
from tests.support.policies import whole

BUILT_IN = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")


@pytest.fixture
def in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the policy file of the installation."""
    path = tmp_path / "etc" / "policy.toml"
    path.parent.mkdir()
    path.write_text(BUILT_IN, encoding="utf-8")
    monkeypatch.setenv("REMIT_POLICY_FILE", str(path))
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """Return another policy file, which nobody has confirmed."""
    path = tmp_path / "new.toml"
    text = BUILT_IN.replace('version = "1"', f'version = "{tmp_path.name}"')
    path.write_text(text, encoding="utf-8")
    return path


def unconfirmed(path: Path) -> str:
    policy = load_policy(path)
    return (
        f'policy_unconfirmed: nothing is decided or started under policy "{policy.version}" '
        f"({policy.digest}): no operator has confirmed it; if it is what you mean, `remit policy "
        "confirm` says so\n"
    )


def test_a_policy_is_put_in_place_and_confirmed_by_one_command(
    keeper: Remit, in_force: Path, new: Path
) -> None:
    digest = load_policy(new).digest
    shown = keeper("policy", "install", str(new))
    values = {"file": in_force, "version": new.parent.name, "digest": digest}
    assert (shown.code, shown.err) == (0, "")
    assert golden("policy-install", "a policy in place", **values) == shown.out
    assert in_force.read_bytes() == new.read_bytes()
    assert list(in_force.parent.iterdir()) == [in_force]
    found = json.loads(keeper("policy", "show", "--json").out)
    assert (found["digest"], found["confirmation"]["by"]) == (digest, "dana")
    again = json.loads(keeper("policy", "install", str(new), "--json").out)
    assert (again["again"], again["source"], again["digest"]) == (True, str(in_force), digest)
    assert again["confirmation"] == found["confirmation"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_that_is_replaced_keeps_its_rights_and_what_a_link_leads_to_is_replaced(
    keeper: Remit, in_force: Path, new: Path, mode: int
) -> None:
    in_force.chmod(mode)
    link = new.with_name("link.toml")
    link.symlink_to(in_force)
    assert keeper("policy", "install", str(new), "--to", str(link)).code == 0
    assert link.is_symlink()
    assert in_force.read_bytes() == new.read_bytes()
    assert stat.S_IMODE(in_force.stat().st_mode) == mode


def test_a_file_that_is_not_there_yet_is_made(keeper: Remit, tmp_path: Path, new: Path) -> None:
    place = tmp_path / "policy.toml"
    assert keeper("policy", "install", str(new), "--to", str(place)).code == 0
    assert load_policy(place) == load_policy(new)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BUILT_IN[:1500], "not TOML|cut off"),
        (BUILT_IN.replace('scope = "staging"', 'scope = "stage"'), "this rule would never ask"),
    ],
)
def test_what_is_refused_is_not_put_in_place(
    keeper: Remit, in_force: Path, new: Path, text: str, told: str
) -> None:
    new.write_text(text, encoding="utf-8")
    shown = keeper("policy", "install", str(new))
    assert (shown.code, shown.out) == (2, "")
    assert any(part in shown.err for part in told.split("|"))
    assert in_force.read_text(encoding="utf-8") == BUILT_IN


def test_what_its_author_may_not_have_meant_is_said(
    keeper: Remit, in_force: Path, new: Path
) -> None:
    new.write_text(whole('version = "empty"'), encoding="utf-8")
    warning = "warning: tools.allow: allows no tool, so every directive is blocked\n"
    assert warning in keeper("policy", "install", str(new)).err
    assert warning in keeper("policy", "confirm").err


@pytest.mark.parametrize("command", ["install", "confirm"])
def test_who_does_not_operate_confirms_nothing_and_puts_nothing_in_place(
    keeper: Remit, in_force: Path, new: Path, command: str
) -> None:
    shown = keeper("policy", command, str(new), "--as", "alice")
    line = "remit: alice may not operate: that needs the role operator or admin\n"
    assert shown == Shown(2, "", line)
    assert in_force.read_text(encoding="utf-8") == BUILT_IN
    assert list(in_force.parent.iterdir()) == [in_force]


@pytest.mark.parametrize("command", ["install", "confirm"])
def test_another_policy_than_the_one_that_was_seen_is_refused(
    keeper: Remit, in_force: Path, new: Path, command: str
) -> None:
    seen, digest = default_policy().digest, load_policy(new).digest
    shown = keeper("policy", command, str(new), "--digest", seen)
    assert shown == Shown(
        2,
        "",
        f'remit: --digest: you saw "{seen}", and the policy\'s digest is "{digest}": look again '
        "with `remit policy check`\n",
    )
    assert in_force.read_text(encoding="utf-8") == BUILT_IN
    assert keeper("policy", command, str(new), "--digest", digest).code == 0


def test_a_place_that_cannot_be_written_is_named(keeper: Remit, tmp_path: Path, new: Path) -> None:
    nowhere = tmp_path / "nowhere" / "policy.toml"
    shown = keeper("policy", "install", str(new), "--to", str(nowhere))
    line = f"remit: --to: {nowhere} cannot be written (No such file or directory)\n"
    assert shown == Shown(2, "", line)


def test_the_built_in_policy_cannot_be_replaced(keeper: Remit, new: Path) -> None:
    shown = keeper("policy", "install", str(new))
    assert shown == Shown(
        2,
        "",
        "remit: --to: the built-in policy is in force, which cannot be replaced: name a file here, "
        "and then start with it as REMIT_POLICY_FILE\n",
    )


def test_where_no_stack_runs_a_policy_is_put_in_place_and_not_confirmed(
    remit: Remit, in_force: Path, new: Path
) -> None:
    shown = remit("policy", "install", str(new))
    assert shown.code == 0
    assert "not confirmed, as no stack runs: `remit up` does so at its start\n" in shown.out
    assert in_force.read_bytes() == new.read_bytes()
    assert json.loads(remit("policy", "install", str(new), "--json").out)["confirmation"] is None
    shown = remit("policy", "confirm")
    assert (shown.code, shown.out) == (2, "")
    assert json.loads(remit("policy", "show", "--json").out)["confirmation"] is None


def test_a_database_that_does_not_answer_leaves_the_old_policy_in_place(
    remit: Remit, in_force: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    assert remit("policy", "install", str(new)).code == 2
    assert in_force.read_text(encoding="utf-8") == BUILT_IN
    assert list(in_force.parent.iterdir()) == [in_force]


@pytest.mark.parametrize("step", ["write", "sync", "rename"])
def test_wherever_it_is_interrupted_the_old_policy_or_the_new_one_is_there(
    keeper: Remit, in_force: Path, new: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class CrashError(Exception):
        pass

    def crash(*_: object) -> None:
        raise CrashError

    target = {"write": (os, "fchmod"), "sync": (os, "fsync"), "rename": (Path, "replace")}[step]
    monkeypatch.setattr(*target, crash)
    with (
        pytest.raises(CrashError),
        file_writing.replacing(in_force, new.read_bytes(), field="--to") as put,
    ):
        put()
    assert in_force.read_text(encoding="utf-8") == BUILT_IN
    assert list(in_force.parent.iterdir()) == [in_force]


def test_the_folder_is_synced_after_the_new_policy_is_in_place(
    in_force: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, bytes]] = []

    def sync(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((folder, in_force.read_bytes()))

    monkeypatch.setattr(os, "fsync", sync)
    with file_writing.replacing(in_force, new.read_bytes(), field="--to") as put:
        put()
    assert synced == [(False, BUILT_IN.encode()), (True, new.read_bytes())]


def test_that_a_policy_is_not_confirmed_is_said_wherever_it_stops_something(
    live: Remit, in_force: Path, new: Path
) -> None:
    waiting = json.loads(live(*propose_arguments(scope="staging"), "--json").out)["outcomes"][0]
    in_force.write_bytes(new.read_bytes())
    line = unconfirmed(new)
    assert live(*propose_arguments()) == Shown(2, "", f"remit: {line}")
    error = json.loads(live(*propose_arguments(), "--json").err)["error"]
    assert (error["type"], error["retryable"]) == ("policy_unconfirmed", True)
    shown = live("policy", "show")
    assert parse_policy(shown.out, source="shown") == load_policy(new)
    assert shown.err == f"warning: {line}"
    state = json.loads(live("policy", "show", "--json").out)["confirmation"]
    assert state == {"state": "policy_unconfirmed", "by": None, "at": None}
    assert line in live("top", "--once").out
    assert "policy_unconfirmed" in live("explain", waiting["directive"]["id"]).out
    assert live("policy", "confirm", "--as", "dana").code == 0
    assert live(*propose_arguments()).code == 0
    assert "policy_unconfirmed" not in live("top", "--once").out
    assert live("policy", "show").err == ""


def test_what_is_no_policy_any_more_is_said_by_top(live: Remit, in_force: Path) -> None:
    in_force.write_text("", encoding="utf-8")
    assert "missing: end the file with the lines [end]" in live("top", "--once").out


def test_a_policy_that_is_delivered_by_other_means_is_confirmed_before(
    keeper: Remit, in_force: Path, new: Path, kept_in: sa.Engine
) -> None:
    del kept_in
    assert keeper("policy", "confirm", str(new)).out.startswith(f"{new}: confirmed by dana\n")
    again = keeper("policy", "confirm", str(new), "--json").out
    assert json.loads(again)["again"] is True
    assert keeper("policy", "confirm", str(new)).out.startswith(
        f"{new}: confirmed before, by dana\n"
    )
    in_force.write_bytes(new.read_bytes())
    assert keeper("policy", "show").err == ""
