"""Whatever a directive leaves behind, however it ends, is as its schema says."""

import io
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast, get_args

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.repository import ArtifactFilter
from remit.artifacts.schemas import ARTIFACT_SCHEMAS, artifact_json_schema, check_metadata
from remit.artifacts.store import CONTENT_THRESHOLD_BYTES, ObjectStore
from remit.artifacts.types import Artifact
from remit.base.json_types import MAX_NUMBER
from remit.execution.models import MAX_ATTEMPTS
from remit.execution.modules.registry import discover_modules
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.artifacts import Filing, file_attachment, read_artifacts
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.results import end_run
from remit.vocabulary import ArtifactType, ModuleErrorType
from remit.workflows.activities.calls import EmittedArtifacts, ModuleCaller
from tests.integration.operations.lives import LIVES, Life, ran
from tests.support.contents import AUTHORITY, LONG, SHORT, policy, proposed, under, write
from tests.support.json_schemas import faults
from tests.support.keys import KEYS, WORKER
from tests.support.people import ADA, OPERATOR

FEW = policy(version="another")


@dataclass(frozen=True)
class Place:
    """Where artifacts are left: a database and an object store."""

    engine: sa.Engine
    store: ObjectStore


@pytest.fixture(scope="module")
def place(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return this module's database and an object store."""
    return Place(engine, FilesystemObjectStore(tmp_path_factory.mktemp("objects")))


def left_in(place: Place) -> list[Artifact]:
    return read_artifacts(place.engine, ArtifactFilter(limit=100_000))


def as_written(value: Any) -> Any:
    """Return a value with its vast numbers as they were: JSONB gives 1e300 back as a whole one.

    A worker refuses a module's result that holds one; the lives end their runs without a worker.
    """
    if isinstance(value, dict):
        return {name: as_written(each) for name, each in value.items()}
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return float(value)
    return value


def assert_all_valid(found: list[Artifact]) -> None:
    for one in found:
        metadata = as_written(one.metadata)
        check_metadata(one.type, metadata)
        assert faults(artifact_json_schema(one.type), metadata) == [], one


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_however_a_directive_goes_what_it_leaves_is_as_the_schemas_say(
    place: Place, life: Life
) -> None:
    directive_id = life(place.engine).id
    found = read_artifacts(place.engine, ArtifactFilter(directive_id=directive_id, limit=100))
    assert_all_valid(found)


def _outputs() -> dict[str, ModuleOutput]:
    broken = {
        kind: ModuleOutput.error_("it broke", error_type=kind)
        for kind in get_args(ModuleErrorType)
        if kind != "module_failed"
    }
    costs = ("0", "-0", "12.5", "12.500", "1E+1", "0E-10", "999999999999.99")
    return {
        **broken,
        "failed": ModuleOutput.failure("no\npaper\u202e", result={"tried": 3}, retryable=True),
        "large": ModuleOutput.success({"text": "x" * (CONTENT_THRESHOLD_BYTES + 1)}),
        "numbers": ModuleOutput.success(
            {"large": MAX_NUMBER, "small": -1e-300, "nested": [{"a": None}]}
        ),
        **{f"cost {text}": ModuleOutput.success(cost=Decimal(text)) for text in costs},
    }


OUTPUTS = _outputs()


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_whatever_a_module_returns_is_kept_as_the_schemas_say(
    place: Place, output: ModuleOutput
) -> None:
    found = proposed(place.engine)
    again = output.error is not None and output.error.retryable
    for _ in range(MAX_ATTEMPTS if again else 1):  # only the last attempt ends the run
        ran(place.engine, found, output)
    left = read_artifacts(place.engine, ArtifactFilter(directive_id=found.id))
    assert {one.type for one in left} >= {"execution_checkpoint", "execution_end"}
    assert_all_valid(left)


def test_a_run_that_ends_before_its_first_attempt_says_so(place: Place) -> None:
    found = proposed(place.engine)
    start_run(place.engine, found.id, lambda _: LONG, AUTHORITY)
    begin_run(place.engine, found.id, lambda _: LONG, under(FEW))
    left = read_artifacts(place.engine, ArtifactFilter(directive_id=found.id))
    ends = [one for one in left if one.type == "execution_end"]
    assert [(one.metadata["attempts"], one.metadata["reason"]) for one in ends] == [
        (0, "policy_changed")
    ]
    assert_all_valid(left)


@pytest.mark.parametrize("size", [1, CONTENT_THRESHOLD_BYTES + 1], ids=["small", "large"])
def test_what_a_module_emits_is_as_its_schema_says(place: Place, size: int) -> None:
    found = proposed(place.engine, payload={"say": "x" * min(size, 60_000), "more": [0.5] * 3})
    run = start_run(place.engine, found.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    caller = ModuleCaller(discover_modules(installed=()), place.engine, place.store)
    emitted = EmittedArtifacts(run, place.store)
    output = caller.call(found, run, emitted.emit)
    emitted.emit("module_output", {"text": "x" * size, "content": "of its own"})
    end_run(place.engine, found, run, output, worker=WORKER, emitted=emitted.artifacts)
    wanted = ArtifactFilter(type="module_output", directive_id=found.id)
    left = read_artifacts(place.engine, wanted)
    assert [one.content_ref is not None for one in left].count(True) == (
        size > CONTENT_THRESHOLD_BYTES
    )
    assert_all_valid(left)


@pytest.mark.parametrize("size", [0, 1, CONTENT_THRESHOLD_BYTES, CONTENT_THRESHOLD_BYTES + 1])
def test_what_is_filed_by_hand_is_as_its_schema_says(place: Place, size: int) -> None:
    labels = {"month": "2026-10", "tax office": ""}
    filing = Filing("Rechnung Nr. 7 (Köln).pdf", "application/pdf", labels)
    filed = file_attachment(
        place.engine, place.store, io.BytesIO(b"x" * size), filing, by=OPERATOR, keys=KEYS
    )
    [one] = [one for one in left_in(place) if one.id == filed.id]
    kept_in = "local" if size <= CONTENT_THRESHOLD_BYTES else "filesystem"
    assert str(cast("Any", one.metadata)["content_ref"]["uri"]).startswith(f"artifact://{kept_in}/")
    assert_all_valid([one])


def test_all_that_this_module_left_is_of_the_types_that_this_version_makes(place: Place) -> None:
    """It stands last: it looks at everything together."""
    found = left_in(place)
    assert {one.type for one in found} == set(ARTIFACT_SCHEMAS) - {"llm_call", "llm_usage"}
    assert_all_valid(found)


INSERT = (
    "INSERT INTO artifacts (id, type, uri, metadata, digest, size_bytes) VALUES "
    "(gen_random_uuid(), :type, 'artifact://local/x', '{}', 'sha256:x', 2)"
)


@pytest.mark.parametrize("artifact_type", ["", "surprise", "Attachment", "llm_call "])
def test_the_database_refuses_a_type_that_has_no_schema(place: Place, artifact_type: str) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="type_known"):
        write(place.engine, INSERT, type=artifact_type)


def test_the_database_knows_the_types_that_have_a_schema_and_no_others(place: Place) -> None:
    statement = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    with place.engine.connect() as connection:
        rule = connection.execute(statement, {"name": "ck_artifacts_type_known"}).scalar_one()
    named = {part for part in rule.split("'") if part.replace("_", "").isalpha()}
    assert named == set(ARTIFACT_SCHEMAS) == set(get_args(ArtifactType))


def test_an_approval_names_the_people(place: Place) -> None:
    found = LIVES["agreed by two"](place.engine)
    wanted = ArtifactFilter(type="execution_start", directive_id=found.id)
    [start] = read_artifacts(place.engine, wanted)
    assert ADA.name in cast("Any", start.metadata)["approved_by"]
    assert_all_valid([start])
