"""Writes `scripts/artifact_examples.json`: one artifact of each type, as real runs leave them.

    python -m scripts.record_artifacts

It starts the Postgres that Remit brings along over an empty folder, lets one directive pass the
gate and run, files one attachment, and ends it. `docs/artifacts.md` shows what it writes; that page
is checked without any server, so the file is kept.
"""

import io
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.repository import ArtifactFilter
from remit.artifacts.types import Artifact
from remit.base.json_types import JsonObject
from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.directives.models import parse_directive
from remit.execution.modules.registry import discover_modules
from remit.identity.types import Principal
from remit.operations.evidence.artifacts import Filing, file_attachment, read_artifacts
from remit.operations.gate import proposals
from remit.operations.gate.authority import Authority
from remit.operations.identities.authentication import use_keys
from remit.operations.identities.directory import ensure_principals
from remit.operations.runs.beginning import start_run
from remit.operations.runs.results import end_run
from remit.operations.runs.workers import announce
from remit.policy.config import default_policy
from remit.signing.keys import ensure_keys
from remit.stack.layout import DataDir
from remit.stack.postgres import EmbeddedPostgres
from remit.workflows.activities.calls import EmittedArtifacts, ModuleCaller

EXAMPLES = Path(__file__).with_name("artifact_examples.json")

ADMIN = Principal("admin", "human", roles=("admin",))
PLANNER = Principal("planner", "agent", roles=("proposer",))
OLIVE = Principal("olive", "human", roles=("operator",))

DIRECTIVE = {
    "role": "executor",
    "type": "echo",
    "objective": "Give a greeting back.",
    "scope": "test",
    "issued_by": PLANNER.name,
    "payload": {"say": "hello"},
    "budget": "$5.00",
    "status": "proposed",
}


def leave_artifacts(engine: sa.Engine, folder: Path) -> list[Artifact]:
    """Let one directive run, file one attachment, and return all that is left, oldest first."""
    authority = Authority(default_policy(), use_keys(engine, ensure_keys(folder / "keys")))
    modules = discover_modules(installed=())
    caller = ModuleCaller(modules, engine, FilesystemObjectStore(folder / "objects"))
    ensure_principals(engine, (ADMIN, PLANNER, OLIVE), by=ADMIN, keys=authority.keys)
    worker = announce(engine, modules.list_modules(), authority.keys)
    authority = replace(authority, worker=worker)
    content = parse_directive(DIRECTIVE, max_bytes=65_536)
    [proposed] = proposals.propose(engine, [content], authority, by=PLANNER)
    about = proposed.directive
    run = start_run(engine, about.id, modules.describe_module, authority).run
    if run is not None:
        emitted = EmittedArtifacts(run, caller.store)
        output = caller.call(about, run, emitted.emit)
        end_run(engine, about, run, output, worker=worker, emitted=emitted.artifacts)
    filing = Filing("invoice-7.txt", "text/plain; charset=utf-8", {"month": "2026-10"})
    receipt = io.BytesIO(b"Invoice 7: 12.50 dollars, paid.\n")
    file_attachment(engine, caller.store, receipt, filing, by=OLIVE, keys=authority.keys)
    return read_artifacts(engine, ArtifactFilter())[::-1]


def as_example(artifact: Artifact) -> JsonObject:
    """Return what the page shows of an artifact."""
    return {
        "type": artifact.type,
        "uri": artifact.uri,
        "digest": artifact.digest,
        "size_bytes": artifact.size_bytes,
        "metadata": artifact.metadata,
    }


def record(folder: Path) -> list[JsonObject]:
    """Return the artifacts of a run in a folder that is empty."""
    data = DataDir(folder / "data")
    data.prepare()
    server = EmbeddedPostgres(data)
    server.start()
    try:
        migrate.upgrade(server.owner_database_url)
        engine = create_database_engine(server.database_url, application_name="remit examples")
        try:
            return [as_example(each) for each in leave_artifacts(engine, folder)]
        finally:
            engine.dispose()
    finally:
        server.stop()


def main() -> int:
    """Write the file anew, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="remit-examples-") as folder:
        found = record(Path(folder))
    EXAMPLES.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"artifacts: {len(found)} written to scripts/{EXAMPLES.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
