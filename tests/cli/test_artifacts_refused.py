"""What `remit artifacts` refuses, in one line; and what it makes of a file's name and labels."""

import json
import subprocess
from pathlib import Path

import pytest

from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.cli.commands.attachments import labels_of, media_type_of
from tests.cli.conftest import Remit, Shown, environment, program
from tests.cli.test_artifacts import LARGE, SMALL, variables

NO_IDENTIFIER = "id: not an identifier: those are hexadecimal, of 0-9, a-f and dashes"
NO_TYPE = (
    "--type: must be policy_evaluation, execution_start, execution_checkpoint, execution_end, "
    "module_output, attachment, llm_call or llm_usage"
)
NO_REMOVAL = (
    "--dry-run: Remit removes no object: another database may refer to it. List them with "
    "--dry-run, and remove from the store itself what nothing refers to"
)
NO_LENGTH = (
    '--older-than: "soon" is not a length of time: write it like "30s", "5m", "1h30m", "1d" or '
    '"PT5M"'
)
NO_SLASH = "name: must be a name alone: no slash, nothing invisible"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("put none.txt", "FILE: none.txt cannot be read (No such file or directory)"),
        ("put .", "FILE: . cannot be read (Is a directory)"),
        ("put -", "--name: missing: standard input has no name; say what it is called"),
        ("put - --name n --label x", '--label: "x": write it NAME=VALUE'),
        ("put - --name n --label =x", '--label: "=x": write it NAME=VALUE'),
        ("put - --name n --label a=1 --label a=2", '--label: "a" stands twice: keep one'),
        ("put - --name a/b", NO_SLASH),
        ("put - --name n --directive x", NO_IDENTIFIER),
        ("list --type memo", NO_TYPE),
        ("show 0000", "no artifact begins with 0000; `remit artifacts list` shows those there are"),
        ("show ../x", NO_IDENTIFIER),
        ("get 0000 --json", "--out: the content itself is printed: leave out --json"),
        ("gc", NO_REMOVAL),
        ("gc --dry-run --older-than soon", NO_LENGTH),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_done_is_refused_in_one_line_and_nothing_is_filed(
    keeper: Remit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = keeper("artifacts", *arguments.split())
    told = json.loads(shown.err)["error"] if "--json" in arguments else {}
    assert (shown.code, shown.out) == (2, "")
    assert line == (f"{told['field']}: {told['message']}" if told else shown.err[7:-1])
    assert keeper("artifacts", "list").out == ""


def test_a_file_that_is_too_large_is_refused_by_its_size_and_not_read(
    keeper: Remit, tmp_path: Path
) -> None:
    file = tmp_path / "huge"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    shown = keeper("artifacts", "put", str(file))
    line = (
        f"remit: FILE: {file} has {1 << 40} bytes, and an artifact at most {MAX_ARTIFACT_BYTES}: "
        "keep it elsewhere, and file its address and digest\n"
    )
    assert shown == Shown(2, "", line)


def test_standard_input_that_does_not_end_is_refused_once_it_is_too_much(keeper: Remit) -> None:
    with Path("/dev/zero").open("rb") as endless:
        ran = subprocess.run(
            program("artifacts", "put", "-", "--name", "n"),
            stdin=endless,
            capture_output=True,
            text=True,
            check=False,
            env=environment(**variables()),
        )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"remit: content: larger than {MAX_ARTIFACT_BYTES} bytes")


def test_who_may_not_file_is_told_so(keeper: Remit) -> None:
    shown = keeper("artifacts", "put", "-", "--name", "n", "--as", "bob", stdin=SMALL)
    message = "remit: bob may not operate or administer: that needs the role operator or admin\n"
    assert shown == Shown(2, "", message)


def test_large_content_needs_a_store_that_keeps_it(
    keeper: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBJECT_STORE_PROVIDER", "noop")
    shown = keeper("artifacts", "put", "-", "--name", "n", stdin=LARGE)
    assert (shown.code, shown.out) == (2, "")
    assert "set OBJECT_STORE_PROVIDER to filesystem or r2" in shown.err
    assert keeper("artifacts", "put", "-", "--name", "n", stdin=SMALL).code == 0


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("plan.md", "text/markdown"),
        ("a.b.json", "application/json"),
        ("LOUD.PNG", "image/png"),
        ("dump.csv.gz", "application/octet-stream"),
        ("Makefile", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_name_says(name: str, media_type: str) -> None:
    assert media_type_of(name) == media_type


def test_a_label_may_hold_what_divides_labels() -> None:
    assert labels_of(["formula=a=b", "empty="]) == {"formula": "a=b", "empty": ""}
