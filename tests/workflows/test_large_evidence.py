"""What a module leaves as evidence, when it is large, and when it holds what must not be kept."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from pydantic import JsonValue
from temporalio.client import Client

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import NoOpObjectStore, ObjectStore, object_key
from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.base.canonical import canonical_json
from remit.base.progress import tell_nobody
from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.operations.evidence.artifacts import get_artifact_content
from remit.operations.evidence.records import Record, read_record
from remit.operations.evidence.upkeep import check_artifacts
from remit.vocabulary import ModuleKind
from tests.integration.operations.filing import everything_said, objects_in
from tests.support.contents import directive
from tests.support.people import AGENT
from tests.support.workers import control, working

LINES: list[JsonValue] = [f"line {number} of what the tool said" for number in range(30_000)]
"""About 1 MB as JSON."""


class Emits(BaseExecutionModule):
    """Emits what the test gives it, then does as told."""

    name = "test"

    def __init__(self, metadata: dict[str, JsonValue], output: ModuleOutput | str = "") -> None:
        self.metadata = metadata
        self.output = output

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Emit, then return or raise."""
        uri = emit_artifact("module_output", self.metadata)
        if isinstance(self.output, ModuleOutput):
            return self.output
        if self.output:
            raise RuntimeError(self.output)
        return ModuleOutput.success({"uri": uri})


class EmitsLong(Emits):
    """The same in an activity of its own."""

    kind: ClassVar[ModuleKind] = "long"


async def ran(client: Client, engine: sa.Engine, module: Emits, store: ObjectStore) -> Record:
    """Run one directive to its end by a worker with a store, and return what is left."""
    async with working(client, engine, module, store=store):
        remit = control(client, engine)
        [outcome] = await remit.propose([directive(type="test")], by=AGENT)
        await remit.workflows.execution(outcome.directive.id).result()
    record = read_record(engine, outcome.directive.id)
    assert record.broken_at is None
    assert record.run is not None
    return record


@pytest.mark.parametrize("kind", [Emits, EmitsLong])
async def test_a_megabyte_that_a_module_emits_is_kept_as_an_object_and_read_back(
    client: Client, empty_engine: sa.Engine, tmp_path: Path, kind: type[Emits]
) -> None:
    store = objects_in(tmp_path)
    emitted: dict[str, JsonValue] = {"lines": LINES}
    record = await ran(client, empty_engine, kind(emitted), store)
    assert record.directive.status == "complete"
    [kept] = [one for one in record.artifacts if one.type == "module_output"]
    assert kept.size_bytes < 1000
    assert kept.run_id is not None
    assert record.run is not None
    assert record.run.result is not None
    assert record.run.result["result"] == {"uri": kept.uri}
    written = canonical_json(emitted)
    assert [one.key for one in store.list_objects()] == [object_key(written)]
    found = get_artifact_content(empty_engine, store, kept.id)
    assert (found.media_type, json.loads(found.data)) == ("application/json", emitted)
    assert found.data == written
    assert check_artifacts(empty_engine, store, tell_nobody).failed == 0


async def test_what_fits_a_row_stays_in_its_row(
    client: Client, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    store = objects_in(tmp_path)
    record = await ran(client, empty_engine, Emits({"content": {"digest": "its own"}}), store)
    [kept] = [one for one in record.artifacts if one.type == "module_output"]
    assert kept.metadata == {"content": {"digest": "its own"}}
    assert list(store.list_objects()) == []
    assert get_artifact_content(empty_engine, store, kept.id).data == canonical_json(kept.metadata)


REFUSED: dict[str, tuple[dict[str, JsonValue], bool, str]] = {
    "large, and nothing that keeps it": ({"lines": LINES}, False, "OBJECT_STORE_PROVIDER"),
    "over what a module may emit": (
        {"text": "x" * MAX_ARTIFACT_BYTES},
        True,
        "too large: shorten it",
    ),
    "a place of its own": ({"content_ref": {"uri": "file:///etc/passwd"}}, True, "content_ref"),
    "a place that is null": ({"content_ref": None}, True, "content_ref"),
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", REFUSED)
async def test_evidence_that_cannot_be_kept_ends_the_run_as_an_error_that_says_why(
    client: Client, empty_engine: sa.Engine, tmp_path: Path, name: str
) -> None:
    emitted, durable, why = REFUSED[name]
    store = objects_in(tmp_path) if durable else NoOpObjectStore()
    record = await ran(client, empty_engine, Emits(emitted), store)
    assert (record.directive.status, record.directive.status_reason) == ("aborted", "module_error")
    assert record.run is not None
    assert why in str(record.run.error_message)
    assert [one for one in record.artifacts if one.type == "module_output"] == []
    assert list(store.list_objects()) == []


TOKEN, KEY = "ghp_" + "a1B2" * 9, "sk-" + "Zz09" * 8
CANARIES = (TOKEN, KEY, "hunter2-canary")
SECRETS: dict[str, JsonValue] = {
    "password": CANARIES[2],
    "log": [f"Authorization: Bearer {TOKEN}", {"deep": {"api_key": CANARIES[2]}}],
    f"by {KEY}": "in a name",
    "tokens": 3,
}
OUTPUTS: dict[str, ModuleOutput | str] = {
    "returned": ModuleOutput.success(SECRETS),
    "failed": ModuleOutput.failure(f"curl -H 'Authorization: Bearer {TOKEN}' failed"),
    "an error": ModuleOutput.error_(f"password={CANARIES[2]} was refused"),
    "raised": f"cannot log in to https://bot:{CANARIES[2]}@example.org with {KEY}",
    "at the end of a long message": "x" * 3000 + f" {TOKEN} " + "y" * 3000 + f" {KEY}",
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("large", [False, True])
async def test_no_secret_that_a_module_emits_returns_or_raises_is_kept(
    client: Client, empty_engine: sa.Engine, tmp_path: Path, name: str, *, large: bool
) -> None:
    store = objects_in(tmp_path)
    emitted = {**SECRETS, "lines": LINES} if large else SECRETS
    record = await ran(client, empty_engine, Emits(emitted, OUTPUTS[name]), store)
    [kept] = [one for one in record.artifacts if one.type == "module_output"]
    content = get_artifact_content(empty_engine, store, kept.id).data.decode()
    assert "[redacted]" in content
    assert len(list(store.list_objects())) == int(large)
    said = everything_said(empty_engine) + content + str(record)
    assert [canary for canary in CANARIES if canary in said] == []


@pytest.mark.untraced
async def test_without_the_mask_every_one_of_them_would_be_kept(
    client: Client, empty_engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        ("remit.workflows.activities.calls", "redact_object"),
        ("remit.execution.modules.registry", "redact_object"),
        ("remit.execution.modules.registry", "redact_text"),
    ):
        monkeypatch.setattr(f"{module}.{name}", lambda value: value)
    store: FilesystemObjectStore = objects_in(tmp_path)
    await ran(client, empty_engine, Emits(SECRETS, OUTPUTS["returned"]), store)
    said = everything_said(empty_engine)
    assert [canary for canary in CANARIES if canary not in said] == []
