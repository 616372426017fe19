"""`remit artifacts check` and `gc`: what is damaged is named, and what nothing needs is listed."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import ObjectStoreRequest, object_key
from tests.cli.conftest import Remit, Shown, without_ids
from tests.cli.test_artifacts import LARGE, SMALL, filed, variables
from tests.cli.test_terminal import on_a_terminal
from tests.support.contents import write
from tests.support.golden import golden

EDITED = "metadata || jsonb_build_object('name', 'other')"


def objects() -> Path:
    """Return the folder of the store that `keeper` works with."""
    return Path(os.environ["REMIT_DATA_DIR"]) / "objects"


def leave_behind(content: bytes, age: timedelta) -> str:
    """Put an object that no artifact refers to, as a crash does, and return its key."""
    key = object_key(content)
    FilesystemObjectStore(objects()).put(ObjectStoreRequest(key, content))
    [file] = objects().rglob(key.removeprefix("sha256/"))
    then = (datetime.now(UTC) - age).timestamp()
    os.utime(file, (then, then))
    return key


def test_with_nothing_stored_there_is_nothing_to_find(keeper: Remit) -> None:
    assert keeper("artifacts", "check") == Shown(0, "there are no artifacts\n", "")


def test_artifacts_that_are_what_was_stored_pass(keeper: Remit) -> None:
    filed(keeper, SMALL)
    filed(keeper, LARGE)
    assert keeper("artifacts", "check") == Shown(
        0, "all 2 artifacts are what their digests say\n", ""
    )
    told = json.loads(keeper("artifacts", "check", "--json").out)
    assert told == {"holds": True, "checked": 2, "failed": 0, "problems": []}


def test_a_damaged_object_fails_the_check_by_name(keeper: Remit) -> None:
    filed(keeper, SMALL)
    identifier = filed(keeper, LARGE)
    [file] = objects().rglob(object_key(LARGE).removeprefix("sha256/"))
    file.chmod(0o600)
    file.write_bytes(LARGE[:-1] + b"?")
    shown = keeper("artifacts", "check")
    assert (shown.code, shown.err) == (1, "")
    first, second = shown.out.splitlines()
    assert first == "1 of 2 artifacts are not what was stored, or not there"
    assert second.startswith(f"  artifact://local/{identifier}: object {object_key(LARGE)} is ")
    assert json.loads(keeper("artifacts", "check", "--json").out)["holds"] is False


def test_metadata_that_was_edited_fails_the_check_and_is_not_handed_out(
    keeper: Remit, kept_in: sa.Engine
) -> None:
    identifier = filed(keeper, SMALL)
    write(kept_in, f"UPDATE artifacts SET metadata = {EDITED} WHERE id = :id", id=identifier)  # noqa: S608 - the test's own words
    line = f"the metadata of artifact://local/{identifier} does not match its digest\n"
    assert keeper("artifacts", "get", identifier) == Shown(2, "", f"remit: {line}")
    shown = keeper("artifacts", "check")
    assert (shown.code, shown.out.endswith(line)) == (1, True)


def test_only_some_of_many_problems_are_told(
    keeper: Remit, kept_in: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.operations.evidence.upkeep.MOST_TOLD", 1)
    for data in (SMALL, b"another"):
        filed(keeper, data)
    write(kept_in, f"UPDATE artifacts SET metadata = {EDITED}")  # noqa: S608 - the test's own words
    shown = keeper("artifacts", "check")
    assert (shown.code, len(shown.out.splitlines())) == (1, 3)
    assert shown.out.splitlines()[2] == "  and 1 more"


def test_a_person_on_a_terminal_sees_how_far_the_check_is(keeper: Remit) -> None:
    filed(keeper, SMALL)
    code, shown = on_a_terminal("", "artifacts", "check", **variables())
    assert (code, "checking" in shown, "1/1" in shown) == (0, True, True)
    assert "all 1 artifacts are what their digests say" in shown


def test_objects_that_nothing_refers_to_are_listed_and_stay(keeper: Remit) -> None:
    filed(keeper, LARGE)
    old = leave_behind(b"lost in a crash", timedelta(hours=2))
    leave_behind(b"about to be stored", timedelta(minutes=1))
    shown = keeper("artifacts", "gc", "--dry-run")
    assert (shown.code, shown.err) == (0, "")
    assert golden("artifacts", "what nothing refers to", key=old) == without_ids(shown.out)
    told = json.loads(keeper("artifacts", "gc", "--dry-run", "--older-than", "1s", "--json").out)
    assert (told["store"], told["bytes"], len(told["objects"])) == ("filesystem", 33, 2)


def test_without_such_an_object_gc_says_so(keeper: Remit) -> None:
    filed(keeper, LARGE)
    line = "the store filesystem has no object of that age that no artifact refers to\n"
    assert keeper("artifacts", "gc", "--dry-run", "--older-than", "1s") == Shown(0, line, "")
