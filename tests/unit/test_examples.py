"""The example files are what their page says, and fit what reads them."""

import json
import re

import pytest

from remit.cli.base.directive_input import issued, read_directives
from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from remit.errors import InvalidInputError
from remit.policy.config import default_policy
from remit.policy.engine import decide
from remit.policy.types import PolicyInput
from remit.vocabulary import PolicyVerdict
from tests.architecture.tree import ROOT

FOLDER = ROOT / "examples"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LINES = (FOLDER / "notes.jsonl").read_text(encoding="utf-8").splitlines()
FILES = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
NOTES: list[dict[str, str]] = [json.loads(line) for line in LINES]

LONGEST_SCOPE = 200
LONGEST_NOTE = 8192
"""Most characters of a memory's scope and of its content, as the database holds them to."""


@pytest.mark.parametrize("name", FILES)
def test_every_example_has_its_row(name: str) -> None:
    assert name == "README.md" or f"| `{name}` |" in README


def test_every_row_has_its_example() -> None:
    named = re.findall(r"^\| `([^`]+)`", README, re.MULTILINE)
    assert set(named) == {*FILES} - {"README.md"}


def test_the_directives_of_the_example_are_allowed_by_the_built_in_policy() -> None:
    policy = default_policy()
    found = read_directives(str(FOLDER / "directives.jsonl"), draft=False, max_bytes=65536)
    for each in issued(found, "alice", 65536):
        content = intent_of(each)
        seen = PolicyInput(content, action_digest(content), {})
        assert decide(seen, policy).verdict is PolicyVerdict.ALLOW


def test_the_page_says_how_many_notes_there_are() -> None:
    assert f"{len(NOTES)} short texts" in README
    assert len(NOTES) >= 300


def test_a_note_has_a_scope_and_a_content_that_memory_takes() -> None:
    for note in NOTES:
        assert set(note) == {"scope", "content"}
        assert re.fullmatch(r"postgres/[a-z0-9-]+", note["scope"])
        assert len(note["scope"]) <= LONGEST_SCOPE
        assert 1 <= len(note["content"]) <= LONGEST_NOTE
        assert note["content"].isprintable()


def test_no_two_notes_say_the_same() -> None:
    assert len({note["content"] for note in NOTES}) == len(NOTES)


def test_a_note_begins_with_the_name_of_its_setting_in_the_order_of_names() -> None:
    names = [note["content"].partition(": ")[0] for note in NOTES]
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"[A-Za-z_0-9]+", name) for name in names)


def test_the_file_is_written_as_its_script_writes_it() -> None:
    written = [json.dumps(note, ensure_ascii=False) for note in NOTES]
    assert written == LINES


@pytest.mark.parametrize(
    "part",
    [
        "Portions Copyright (c) 1996-2025, PostgreSQL Global Development Group",
        "Portions Copyright (c) 1994, The Regents of the University of California",
        "provided that the above copyright notice and this paragraph",
        "IN NO EVENT SHALL THE UNIVERSITY OF CALIFORNIA BE LIABLE",
        "THE UNIVERSITY OF CALIFORNIA SPECIFICALLY DISCLAIMS ANY WARRANTIES",
    ],
)
def test_the_license_stands_beside_the_texts_that_it_is_for(part: str) -> None:
    assert part in " ".join(README.replace("\n> ", " ").split())


def test_a_directive_that_its_issuer_makes_too_large_is_named() -> None:
    said = {"role": "r", "type": "echo", "objective": "o", "scope": "s"}
    small = {"status": "proposed", "payload": {}, **said}
    large = {**small, "payload": {"text": "x" * 100}}
    with pytest.raises(InvalidInputError) as refusal:
        issued([small, large], "ada", 200)
    assert str(refusal.value).startswith("directive 2: ")
