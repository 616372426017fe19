"""`remit artifacts put`, `list`, `show` and `get`: what is filed comes back, byte for byte."""

import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Remit, Shown, program, without_ids
from tests.cli.test_terminal import on_a_terminal
from tests.support.contents import proposed
from tests.support.golden import golden

SMALL = "# Plan\n\tIndented, and 'äöü' too.\n".encode()
LARGE = bytes(range(256)) * 300
"""76,800 bytes of every value: over the threshold."""

REFUSED_TERMINAL = (
    "remit: --out: this content is no text, and a terminal obeys some bytes: save it with --out "
    "FILE, or pipe it into a program\n"
)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def filed(keeper: Remit, data: bytes, *options: str) -> str:
    """File content, and return the artifact's identifier."""
    shown = keeper("artifacts", "put", "-", "--name", "n", *options, "--json", stdin=data)
    assert (shown.code, shown.err) == (0, "")
    identifier: str = json.loads(shown.out)["filed"]["id"]
    return identifier


def test_a_small_file_is_filed_in_postgres_and_told_of(keeper: Remit, tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    file.write_bytes(SMALL)
    shown = keeper("artifacts", "put", str(file), "--label", "team=payments")
    [listed] = json.loads(keeper("artifacts", "list", "--json").out)["artifacts"]
    assert listed["uri"] == f"artifact://local/{listed['id']}"
    values = {name: listed[name] for name in ("id", "digest")}
    values |= {"size": f"{len(SMALL)} bytes", "content": digest_of(SMALL)}
    assert (shown.code, shown.err) == (0, "")
    assert golden("artifacts", "a small file that is filed", **values) == shown.out
    assert (listed["type"], listed["name"], listed["directive_id"]) == (
        "attachment",
        "plan.md",
        None,
    )
    assert listed["content_ref"]["size_bytes"] == len(SMALL)


def test_a_large_file_lies_in_the_object_store_under_its_digest(keeper: Remit) -> None:
    shown = keeper("artifacts", "put", "-", "--name", "dump.bin", "--json", stdin=LARGE)
    told = json.loads(shown.out)
    key = digest_of(LARGE).replace(":", "/")
    assert told["lies"] == f"in the object store filesystem, as {key}"
    assert told["filed"]["content"] == {
        "digest": digest_of(LARGE),
        "size_bytes": len(LARGE),
        "media_type": "application/octet-stream",
        "uri": f"artifact://filesystem/{key}",
    }


def test_an_artifact_is_shown_with_its_digest_its_content_and_what_it_says(
    keeper: Remit,
) -> None:
    identifier = filed(keeper, LARGE, "--label", "team=payments")
    found = json.loads(keeper("artifacts", "show", identifier, "--json").out)
    artifact = found["artifact"]
    shown = keeper("artifacts", "show", identifier[:8])
    content = digest_of(LARGE)
    values = {"digest": artifact["digest"], "content": content, "key": content.replace(":", "/")}
    assert (shown.code, shown.err) == (0, "")
    expected = golden("artifacts", "a large artifact with its metadata", **values)
    assert expected == without_ids(shown.out)
    assert artifact["metadata"]["filed_by"] == "dana"


def test_an_artifact_is_found_by_its_address_too(keeper: Remit) -> None:
    identifier = filed(keeper, SMALL)
    by_address = keeper("artifacts", "show", f"artifact://local/{identifier}")
    assert by_address == keeper("artifacts", "show", identifier)


def test_what_somebody_wrote_cannot_pass_for_something_else(keeper: Remit) -> None:
    imitated = "\u0440\u0430\u0443\u0440\u0430l"
    filed(keeper, SMALL, "--label", f"team={imitated}")
    identifier = json.loads(keeper("artifacts", "list", "--json").out)["artifacts"][0]["id"]
    shown = keeper("artifacts", "show", identifier)
    assert "\\u0440\\u0430\\u0443\\u0440\\u0430l" in shown.out
    assert imitated not in shown.out


@pytest.mark.parametrize("data", [SMALL, LARGE, b""], ids=["small", "large", "empty"])
def test_content_is_saved_byte_for_byte_for_this_account_alone(
    keeper: Remit, tmp_path: Path, data: bytes
) -> None:
    identifier, out = filed(keeper, data), tmp_path / "out.bin"
    shown = keeper("artifacts", "get", identifier, "--out", str(out))
    values = {"id": identifier, "file": out, "size": len(data), "digest": digest_of(data)}
    assert (shown.code, shown.err) == (0, "")
    assert golden("artifacts", "content that is saved", **values) == shown.out
    assert out.read_bytes() == data
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_file_is_replaced_only_when_told_to_and_nothing_but_a_file(
    keeper: Remit, tmp_path: Path
) -> None:
    identifier, out = filed(keeper, SMALL), tmp_path / "mine"
    out.write_text("mine")
    get = ("artifacts", "get", identifier, "--output")
    refused = keeper(*get, str(out))
    message = f"remit: --out: {out} is there already: name another file, or say --force\n"
    assert refused == Shown(2, "", message)
    assert out.read_text() == "mine"
    assert keeper(*get, str(out), "--force", "--json").code == 0
    assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (SMALL, 0o600)
    folder = keeper(*get, str(tmp_path), "--force")
    assert folder == Shown(2, "", f"remit: --out: {tmp_path} is no file: name one\n")


def test_a_pipe_gets_the_bytes_as_they_are(keeper: Remit) -> None:
    identifier = filed(keeper, LARGE)
    for more in ((), ("--out", "-")):
        command = program("artifacts", "get", identifier, *more)
        ran = subprocess.run(command, capture_output=True, check=True, env=dict(os.environ))
        assert (ran.stdout, ran.stderr) == (LARGE, b"")


def test_a_terminal_gets_text_alone_and_never_what_it_would_obey(keeper: Remit) -> None:
    text = filed(keeper, b"one\x1b[31m\n\ttwo\xe2\x80\xae\n")
    code, shown = on_a_terminal("", "artifacts", "get", text, **variables())
    assert (code, shown) == (0, "one\\x1b[31m\n        two\\u202e\n")
    code, shown = on_a_terminal("", "artifacts", "get", filed(keeper, LARGE), **variables())
    assert (code, shown) == (2, REFUSED_TERMINAL)


def variables() -> dict[str, str]:
    """Return what `keeper` has set, for a process of its own."""
    names = ("DATABASE_URL", "REMIT_DATA_DIR", "REMIT_TOKEN", "OBJECT_STORE_PROVIDER")
    return {name: os.environ[name] for name in names}


def test_without_content_what_an_artifact_says_is_handed_out(
    keeper: Remit, kept_in: sa.Engine
) -> None:
    directive = proposed(kept_in)
    about = ("--directive", str(directive.id)[:8])
    [found] = json.loads(keeper("artifacts", "list", *about, "--json").out)["artifacts"]
    shown = keeper("artifacts", "get", found["id"])
    assert digest_of(shown.out.encode()) == found["digest"]
    assert json.loads(shown.out)["verdict"] == "allow"


def test_artifacts_are_listed_by_type_and_by_directive(keeper: Remit, kept_in: sa.Engine) -> None:
    directive = proposed(kept_in)
    first = filed(keeper, SMALL, "--directive", str(directive.id))
    second = filed(keeper, LARGE)
    shown = keeper("artifacts", "list", "--type", "attachment")
    assert [line.split()[:4] for line in shown.out.splitlines()] == [
        ["ID", "TYPE", "DIRECTIVE", "BYTES"],
        [second, "attachment", "-", str(len(LARGE))],
        [first, "attachment", str(directive.id), str(len(SMALL))],
    ]
    about = json.loads(keeper("artifacts", "list", "--directive", str(directive.id), "--json").out)
    assert [each["type"] for each in about["artifacts"]] == ["attachment", "policy_evaluation"]
    assert len(keeper("artifacts", "list", "--limit", "1").out.splitlines()) == 2
    assert keeper("artifacts", "list", "--type", "llm_call") == Shown(0, "", "no artifacts\n")


def test_the_same_content_is_filed_twice_and_kept_once(keeper: Remit) -> None:
    assert filed(keeper, LARGE) != filed(keeper, LARGE)
    assert keeper("artifacts", "check").out == "all 2 artifacts are what their digests say\n"
