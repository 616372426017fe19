"""Whether everything that is kept is still what was stored, and what nothing refers to."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from remit.artifacts.contents import read_content
from remit.artifacts.repository import count_artifacts, referenced_uris, stream_whole
from remit.artifacts.store import ObjectStore, StoredObject, object_uri
from remit.base.progress import Progress
from remit.db.session import database_time, snapshot
from remit.errors import RemitError
from remit.execution.repository import oldest_under_way

STORE_CLOCK_BEHIND = timedelta(minutes=10)
"""How far the clock that dates objects may be behind the database's. A file's date is behind by
some milliseconds even on the same machine: the kernel takes it from its last tick."""

MOST_TOLD = 100
"""How many problems one check of all artifacts tells of."""


@dataclass(frozen=True, slots=True)
class ArtifactCheck:
    """What a look at every artifact found.

    Attributes:
        problems: what is wrong, at most :data:`MOST_TOLD`.
        failed: how many artifacts something is wrong with.
        objects: how many contents were read from the object store, and are whole.
    """

    checked: int
    problems: tuple[str, ...]
    failed: int
    objects: int


def unreferenced_objects(
    engine: sa.Engine, store: ObjectStore, *, older_than: timedelta
) -> list[StoredObject]:
    """Return the objects that no artifact has as its content, oldest first.

    A crash between the two writes of `put_artifact` leaves one, and so does a module that
    emitted and then died. What a run under way may have emitted is not among them: its rows come
    when it ends. Remit removes none: it cannot know who else refers to one.

    Younger ones than `older_than` are left out: their artifact may be about to be stored.

    Raises:
        ObjectStoreException: the store does not list its objects.
    """
    # Listed before the database is asked: what is stored in between is in neither list.
    objects = list(store.list_objects())
    with snapshot(engine) as connection:
        referenced = set(referenced_uris(connection))
        under_way = oldest_under_way(connection)
        before = database_time(connection) - older_than
    if under_way is not None:
        before = min(before, under_way - STORE_CLOCK_BEHIND)
    found = (
        each
        for each in objects
        if object_uri(store.name, each.key) not in referenced and each.modified_at < before
    )
    return sorted(found, key=lambda each: (each.modified_at, each.key))


def check_artifacts(engine: sa.Engine, store: ObjectStore, on_progress: Progress) -> ArtifactCheck:
    """Read every artifact with its content, and say which are not what their digests say."""
    problems: list[str] = []
    failed = checked = objects = 0
    with snapshot(engine) as connection:
        total = count_artifacts(connection)
        for artifact, inline in stream_whole(connection):
            try:
                read_content(store, artifact, inline)
                objects += inline is None and artifact.content_ref is not None
            except RemitError as error:
                failed += 1
                if len(problems) < MOST_TOLD:
                    problems.append(f"{artifact.uri}: {error}")
            checked += 1
            on_progress(checked, total)
    return ArtifactCheck(checked, tuple(problems), failed, objects)
