"""`remit evidence verify`: a bundle proves itself with a public key alone."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remit.audit.bundle.checks import ALWAYS, UNCOVERED
from remit.audit.bundle.file import sign_bundle
from remit.audit.bundle.types import Bundle
from remit.signing.keys import ensure_keys, public_pem
from remit.signing.pem import private_text
from tests.cli.conftest import Remit, Shown, without_ids
from tests.support.golden import golden
from tests.unit.audit import bundle_parts, bundles

NOTHING = "The file proves nothing: it is no bundle, was changed, or its key is not trusted.\n"
ALONE = """\
import socket, sys
from remit.cli.main import run

def refuse(*arguments, **named):
    raise AssertionError("a socket was opened")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
code = run(sys.argv[1:])
assert not {"sqlalchemy", "psycopg", "temporalio", "alembic"} & set(sys.modules)
sys.exit(code)
"""
"""Runs a command without sockets, and proves that no library of a server was loaded."""


@pytest.fixture
def public(tmp_path: Path) -> str:
    """Return the file of the public key that signs the bundles of these tests."""
    path = tmp_path / "public.pem"
    path.write_text("".join(public_pem(bundle_parts.KEYS).values()))
    return str(path)


def kept(evidence: Bundle, folder: Path) -> str:
    """Write a bundle, and return its file."""
    path = folder / "bundle.json"
    path.write_bytes(sign_bundle(evidence, bundle_parts.KEYS))
    return str(path)


def test_a_bundle_that_holds_tells_each_check_and_who_let_it_happen(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    done = bundles.done()
    shown = remit("evidence", "verify", kept(done, tmp_path), "--key", public)
    expected = golden(
        "evidence-verify",
        "a bundle that holds",
        kid=bundle_parts.KEYS.kid,
        digest=done.directive.action_digest,
        head=done.events[-1].hash,
    )
    assert (shown.code, shown.err) == (0, "")
    assert expected == without_ids(shown.out)


def test_a_bundle_that_does_not_hold_names_the_checks_and_ends_with_1(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    done = bundles.done()
    forged = replace(done, runs=(done.runs[0].model_copy(update={"attempts": 2}),))
    shown = remit("evidence", "verify", kept(forged, tmp_path), "--key", public)
    assert (shown.code, shown.err) == (1, "")
    told = [line for line in without_ids(shown.out).splitlines() if line.startswith(("✗", "The "))]
    assert golden("evidence-verify", "what does not hold") == "\n".join([*told, ""])


def test_as_json_the_checks_come_with_all_that_the_bundle_holds(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    shown = remit("evidence", "verify", kept(bundles.done(), tmp_path), "--key", public, "--json")
    assert (shown.code, shown.err) == (0, "")
    told = json.loads(shown.out)
    assert told["holds"] is True
    assert told["checks"][4] == {
        "name": "status",
        "holds": True,
        "detail": "complete, as the log says",
        "unborne": [],
    }
    assert told["not_checkable"] == [UNCOVERED, *ALWAYS]
    assert told["evidence"]["directive"]["objective"] == "Say hello."
    assert told["evidence"]["format"] == "remit.evidence/2"


@pytest.mark.parametrize("content", [b"", b"{}", b"not a bundle", b"\xff\xfe", b"[" * 99999])
def test_a_file_that_is_no_bundle_proves_nothing(
    remit: Remit, tmp_path: Path, public: str, content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    shown = remit("evidence", "verify", str(tmp_path / "x"), "--key", public)
    assert (shown.code, shown.err) == (1, "")
    assert shown.out.startswith("✗  signature  ")
    assert shown.out.endswith(NOTHING)


def test_a_changed_file_and_a_stranger_s_prove_nothing(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    data = bytearray(sign_bundle(bundles.done(), bundle_parts.KEYS))
    data[1000] ^= 1
    (tmp_path / "changed").write_bytes(data)
    (tmp_path / "other").write_bytes(sign_bundle(bundles.done(), bundle_parts.STRANGERS))
    for name, words in (("changed", "is not one of"), ("other", "is not trusted here")):
        shown = remit("evidence", "verify", str(tmp_path / name), "--key", public, "--json")
        told = json.loads(shown.out)
        assert (shown.code, told["holds"], told["evidence"]) == (1, False, None)
        assert words in told["checks"][0]["detail"]


def test_verifying_needs_no_database_no_network_and_no_setting(tmp_path: Path, public: str) -> None:
    file = kept(bundles.done(), tmp_path)
    command = [sys.executable, "-c", ALONE, "evidence", "verify", file, "--key", public]
    nowhere = "postgresql://nobody@192.0.2.1:1/nothing"
    path = os.pathsep.join(filter(None, sys.path))
    for extra in ({}, {"DATABASE_URL": nowhere, "REMIT_SWEEP_SECONDS": "not a number"}):
        environment = {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **extra}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "The bundle holds: all 23 checks pass." in ran.stdout


def test_without_files_of_keys_those_of_the_data_folder_are_trusted(
    remit: Remit, tmp_path: Path
) -> None:
    keys = ensure_keys(tmp_path / "data" / "keys")
    found = bundles.stuck().directive
    draft = found.model_copy(update={"status": "draft", "action_digest": None})
    told = bundle_parts.events(("directive.drafted", {"action_digest": None}))
    nobody: dict[str, Any] = {"issued": None, "people": (), "tokens": ()}
    plain = replace(bundles.stuck(), directive=draft, events=told, **nobody)
    (tmp_path / "b").write_bytes(sign_bundle(plain, keys))
    shown = remit("evidence", "verify", str(tmp_path / "b"), "--data-dir", str(tmp_path / "data"))
    # What was signed inside a bundle is another matter; in this one nobody has said anything yet.
    assert (shown.code, shown.err) == (0, "")


def test_a_key_of_the_environment_is_trusted_too(
    remit: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bundle_parts.KEYS.signing_key is not None
    monkeypatch.setenv("REMIT_SIGNING_KEY", private_text(bundle_parts.KEYS.signing_key))
    assert remit("evidence", "verify", kept(bundles.done(), tmp_path)).code == 0


REFUSED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "no key": (
        ("{bundle}",),
        (
            "there is no public key to verify with: give one with --key FILE; `remit keys export` "
            "prints it where the bundle was made"
        ),
    ),
    "no file": (
        ("{folder}/none", "--key", "{public}"),
        "BUNDLE: {folder}/none cannot be read (No such file or directory)",
    ),
    "a folder": (
        ("{folder}", "--key", "{public}"),
        "BUNDLE: {folder} cannot be read (Is a directory)",
    ),
    "too large": (
        ("{large}", "--key", "{public}"),
        "BUNDLE: {large} is no bundle: it is over 64 MiB",
    ),
    "no such checkpoint": (
        ("{bundle}", "--key", "{public}", "--checkpoint", "{folder}/none"),
        "--checkpoint: {folder}/none cannot be read (No such file or directory)",
    ),
    "no such key": (
        ("{bundle}", "--key", "{folder}/none.pem"),
        "{folder}/none.pem does not exist: name a file of public keys",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(
    remit: Remit, tmp_path: Path, public: str, name: str
) -> None:
    arguments, message = REFUSED[name]
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)  # a hole: it takes no room
    places = {
        "bundle": kept(bundles.done(), tmp_path),
        "folder": str(tmp_path),
        "large": str(large),
        "public": public,
    }
    shown = remit("evidence", "verify", *(each.format(**places) for each in arguments))
    assert shown == Shown(2, "", f"remit: {message.format(**places)}\n")


def test_what_others_wrote_cannot_pass_for_something_else_on_the_screen(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    found = bundles.stuck().directive
    odd = {"objective": "a\u202eb\x1b[2J\u0430pple", "payload": {"k\u200b": "x" * 500}}
    evidence = replace(bundles.stuck(), directive=found.model_copy(update=odd))
    shown = remit("evidence", "verify", kept(evidence, tmp_path), "--key", public)
    assert shown.code == 1
    assert all(character.isprintable() for character in shown.out.replace("\n", ""))
    assert r"objective       a\u202eb" in shown.out
    assert f"{'x' * 380}... (see --json)" in shown.out
    assert r"k\u200b" in shown.out


def test_a_void_grant_and_an_error_are_told(remit: Remit, tmp_path: Path, public: str) -> None:
    done = bundles.done()
    moment = done.grants[0].issued_at
    void = replace(done.grants[0], voided_at=moment, void_reason="canceled", votes=())
    run = done.runs[0].model_copy(
        update={"error_message": "it broke", "result": None, "module_version": ""}
    )
    blocked = done.directive.model_copy(update={"status_reason": "canceled", "budget": None})
    odd = replace(done, grants=(void,), runs=(run,), directive=blocked, events=())
    shown = remit("evidence", "verify", kept(odd, tmp_path), "--key", public)
    story = without_ids(shown.out).partition("tells it\n")[2].partition("\nThe bundle")[0]
    assert golden("evidence-verify", "a void grant and an error") == story
