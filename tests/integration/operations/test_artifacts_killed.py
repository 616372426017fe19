"""Killed between each two steps of a put: what was acknowledged is there, and nothing half is."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import UNFINISHED
from remit.artifacts.store import CONTENT_THRESHOLD_BYTES, object_key
from remit.base.progress import tell_nobody
from remit.operations.evidence.artifacts import get_artifact_content
from remit.operations.evidence.upkeep import check_artifacts, unreferenced_objects
from tests.integration.operations.conftest import audited
from tests.integration.operations.filing import file_one, objects_in, rows
from tests.support.keys import SIGNING_KEY

ROOT = Path(__file__).parents[3]
LARGE, SMALL = CONTENT_THRESHOLD_BYTES + 1, 100
NOW = timedelta(0)

STEPS: dict[str, tuple[int, int, int]] = {
    # step: objects, rows and unfinished files that it leaves behind a large content
    "source read": (0, 0, 0),
    "temporary file written": (0, 0, 1),
    "object named": (1, 0, 0),
    "object durable": (1, 0, 0),
    "before the row": (1, 0, 0),
    "before the commit": (1, 0, 0),
    "before the answer": (1, 1, 0),
}
OF_A_ROW = ("source read", "before the row", "before the commit", "before the answer")


def killed(engine: sa.Engine, folder: Path, step: str, size: int) -> str:
    """Run the child and return what it said; unless it lives, it must have died at the step."""
    url = engine.url.render_as_string(hide_password=False)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    child = subprocess.run(
        [
            *(sys.executable, "-m", "tests.integration.operations.killed_put"),
            *(step, str(size), url, str(folder / "objects")),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "REMIT_SIGNING_KEY": SIGNING_KEY},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert child.returncode == (0 if step == "nowhere" else -SIGKILL), child.stderr
    return child.stdout


def left(engine: sa.Engine, folder: Path) -> tuple[int, int, int]:
    """Return how many objects, rows and unfinished files there are."""
    [(count,)] = rows(engine, "SELECT count(*) FROM artifacts")
    unfinished = list((folder / "objects" / UNFINISHED).iterdir())
    return len(list(objects_in(folder).list_objects())), count, len(unfinished)


def check_whole(engine: sa.Engine, folder: Path) -> None:
    """Check that every artifact is whole, and that every object is one's or is listed."""
    store = objects_in(folder)
    checked = check_artifacts(engine, store, tell_nobody)
    assert (checked.failed, checked.problems) == (0, ())
    referenced = {
        uri for (uri,) in rows(engine, "SELECT metadata #>> '{content_ref,uri}' FROM artifacts")
    }
    orphans = {one.key for one in unreferenced_objects(engine, store, older_than=NOW)}
    for one in store.list_objects():
        assert (f"artifact://filesystem/{one.key}" in referenced) != (one.key in orphans)
    assert audited(engine).findings == ()


@pytest.mark.parametrize(
    ("size", "step"), [*((LARGE, step) for step in STEPS), *((SMALL, step) for step in OF_A_ROW)]
)
def test_killed_between_two_steps_it_leaves_no_more_than_an_object_that_is_listed(
    empty_engine: sa.Engine, tmp_path: Path, size: int, step: str
) -> None:
    said = killed(empty_engine, tmp_path, step, size)
    assert said == f"reached {step}\n"
    objects, stored, unfinished = STEPS[step]
    expected = (objects, stored, unfinished) if size == LARGE else (0, stored, 0)
    assert left(empty_engine, tmp_path) == expected
    check_whole(empty_engine, tmp_path)
    content, store = b"k" * size, objects_in(tmp_path)
    orphans = [one.key for one in unreferenced_objects(empty_engine, store, older_than=NOW)]
    assert orphans == [object_key(content)] * (expected[0] - expected[1] if size == LARGE else 0)
    second = file_one(empty_engine, store, content)
    assert get_artifact_content(empty_engine, store, second.id).data == content
    assert unreferenced_objects(empty_engine, store, older_than=NOW) == []
    check_whole(empty_engine, tmp_path)


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_what_was_acknowledged_is_there_and_whole(
    empty_engine: sa.Engine, tmp_path: Path, size: int
) -> None:
    filed, _, artifact_id = killed(empty_engine, tmp_path, "nowhere", size).strip().partition(" ")
    assert filed == "filed"
    found = get_artifact_content(empty_engine, objects_in(tmp_path), UUID(artifact_id))
    assert found.data == b"k" * size
    check_whole(empty_engine, tmp_path)


def test_with_the_row_written_first_a_row_is_left_whose_content_is_gone(
    empty_engine: sa.Engine, tmp_path: Path
) -> None:
    assert killed(empty_engine, tmp_path, "swapped", LARGE) == "reached swapped\n"
    assert left(empty_engine, tmp_path) == (0, 1, 0)
    checked = check_artifacts(empty_engine, objects_in(tmp_path), tell_nobody)
    assert checked.failed == 1
    assert "there is no object" in checked.problems[0]
