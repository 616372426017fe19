"""Evidence that was filed, and the ways around Remit to change it.

The attacker holds the store's disk, and is the superuser of the database with every trigger and
every check out of the way.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.progress import tell_nobody
from remit.errors import RemitError
from remit.identity.types import Principal
from remit.operations.evidence.artifacts import Filed, Filing, file_attachment, get_artifact_content
from remit.operations.evidence.auditing import verify_log
from remit.operations.evidence.upkeep import check_artifacts
from tests.support.contents import forging, write
from tests.support.keys import KEYS
from tests.support.object_stores import object_file
from tests.support.people import OPERATOR
from tests.support.unchecked import unchecked

AUDITOR = Principal("audrey", "human", roles=("auditor",))
SMALL = b"what was found in the kitchen"
LARGE = b"what was found in the cellar" * 4_000
OTHER = b"what somebody else put there" * 4_000


@dataclass(frozen=True)
class Kept:
    """Evidence that was filed, and the ways around Remit.

    Attributes:
        engine: the database.
        objects: the object store.
        folder: where it keeps its objects.
        small: an attachment whose content lies in its row.
        large: one whose content is an object.
        other: another one like that.
    """

    engine: sa.Engine
    objects: FilesystemObjectStore
    folder: Path
    small: Filed
    large: Filed
    other: Filed

    @classmethod
    def make(cls, engine: sa.Engine, folder: Path) -> Self:
        """File three attachments in a database, which then checks nothing of contents any more."""
        forger = forging(engine)
        objects = FilesystemObjectStore(folder)
        filing = Filing("notes.txt", "text/plain", {})
        filed = [
            file_attachment(engine, objects, io.BytesIO(content), filing, by=OPERATOR, keys=KEYS)
            for content in (SMALL, LARGE, OTHER)
        ]
        unchecked(engine)
        with forger.begin() as connection:
            for check in ("content_as_named", "content_is_small"):
                connection.execute(
                    sa.text(f"ALTER TABLE artifacts DROP CONSTRAINT ck_artifacts_{check}")
                )
            connection.execute(sa.text("CREATE TABLE as_filed AS SELECT * FROM artifacts"))
        forger.dispose()
        return cls(engine, objects, folder, *filed)

    def restore(self) -> None:
        """Undo every change, so that one database serves many attacks."""
        write(
            self.engine,
            "UPDATE artifacts AS a SET metadata = b.metadata, digest = b.digest,"
            " size_bytes = b.size_bytes, content = b.content FROM as_filed AS b WHERE b.id = a.id",
        )
        for filed, content in ((self.large, LARGE), (self.other, OTHER)):
            file = self.file(filed)
            file.unlink(missing_ok=True)
            file.write_bytes(content)

    def read(self, filed: Filed) -> bytes:
        return get_artifact_content(self.engine, self.objects, filed.id).data

    def file(self, filed: Filed) -> Path:
        """Return the file of a large content, made writable."""
        return object_file(self.folder, filed.content.uri.split("/", 3)[3])

    def metadata(self, filed: Filed) -> dict[str, Any]:
        with self.engine.connect() as connection:
            found = connection.execute(
                sa.text("SELECT metadata FROM artifacts WHERE id = :id"), {"id": filed.id}
            )
            metadata: dict[str, Any] = found.scalar_one()
        return metadata

    def forge(self, filed: Filed, *, agreeing: bool = False, **columns: object) -> None:
        """Change a row past every rule; agreeing: its digest and size then fit its metadata."""
        if "metadata" in columns:
            if agreeing:
                covered = canonical_json(columns["metadata"])  # type: ignore[arg-type]
                columns |= {"digest": sha256_digest(covered), "size_bytes": len(covered)}
            columns["metadata"] = json.dumps(columns["metadata"])
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        write(self.engine, f"UPDATE artifacts SET {changes} WHERE id = :id", id=filed.id, **columns)  # noqa: S608

    def refuses(self, filed: Filed) -> RemitError:
        """Return how reading is refused, after a check of all artifacts found the same."""
        with pytest.raises(RemitError) as caught:
            self.read(filed)
        found = check_artifacts(self.engine, self.objects, tell_nobody)
        assert (found.checked, found.failed) == (3, 1)
        assert [line for line in found.problems if line.startswith(f"{filed.uri}: ")]
        return caught.value

    def findings(self) -> list[str]:
        """Return what an audit of the log finds."""
        report = verify_log(self.engine, by=AUDITOR, keys=KEYS)
        return [one.fault for one in report.findings]
