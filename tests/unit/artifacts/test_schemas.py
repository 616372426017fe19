"""Each type of artifact has a schema; Remit's own check and JSON Schema judge alike by it."""

import copy
import json
from collections.abc import Iterator
from typing import Any, cast, get_args

import pytest

from remit.artifacts.schemas import (
    ARTIFACT_SCHEMAS,
    DIALECT,
    KEPT,
    artifact_json_schema,
    check_metadata,
)
from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.base.canonical import canonical_json, sha256_digest
from remit.errors import InvalidInputError
from remit.vocabulary import ArtifactType
from scripts.artifact_page import EXAMPLES, artifact_page
from tests.support.json_schemas import check_schema, faults

TYPES = get_args(ArtifactType)
RECORDED: list[dict[str, Any]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
HEX = "0f" * 32

LLM: dict[ArtifactType, Any] = {
    "llm_call": {
        "provider": "noop",
        "model": "none",
        "max_tokens": None,
        "temperature": 0.5,
        "status": "error",
        "error_type": "disabled",
        "message_count": 2,
        "roles": ["system", "user"],
        "characters": 120,
    },
    "llm_usage": {
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
        "estimated_cost_usd": "0.000002",
        "latency_ms": 0.25,
    },
}
VALID: dict[ArtifactType, Any] = {each["type"]: each["metadata"] for each in RECORDED} | LLM
"""Metadata of each type: recorded from a real run where this version has one."""

OPTIONAL = {
    ("policy_evaluation", "announced"),
    ("policy_evaluation", "committed"),
    ("execution_start", "module_digest"),
}
"""What was not there at first: a database that was upgraded holds rows without it."""


def problem_of(artifact_type: ArtifactType, metadata: Any) -> str | None:
    """Return what Remit finds wrong; None for nothing."""
    try:
        check_metadata(artifact_type, metadata)
    except InvalidInputError as error:
        return str(error)
    return None


def changed(artifact_type: ArtifactType, *path: str | int, to: Any) -> Any:
    """Return valid metadata but for one value."""
    metadata = copy.deepcopy(VALID[artifact_type])
    inner = metadata
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return metadata


def objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every object in a value that its schema closes."""
    if isinstance(value, dict) and (not path or path[-1] not in OPEN):
        yield path
        for name, each in value.items():
            yield from objects(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from objects(each, (*path, number))


OPEN = {"payload", "committed", "labels", "result", "echo"}
"""Objects whose fields are not Remit's to name."""

CLOSED = [
    (name, path)
    for name, metadata in VALID.items()
    for path in objects(metadata)
    if name != "module_output"
]


def test_every_type_has_a_schema_and_no_other_has() -> None:
    assert tuple(ARTIFACT_SCHEMAS) == TYPES
    assert set(VALID) == set(TYPES)


@pytest.mark.parametrize("artifact_type", TYPES)
def test_a_schema_is_proper_and_says_who_makes_it_when_and_how_long_it_is_kept(
    artifact_type: ArtifactType,
) -> None:
    schema = artifact_json_schema(artifact_type)
    check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["title"] == artifact_type
    assert schema["additionalProperties"] is (artifact_type == "module_output")
    said = ARTIFACT_SCHEMAS[artifact_type]
    for part in (said.says, f"Made by {said.maker}", said.moment, f"Kept {KEPT}."):
        assert part in str(schema["description"])


@pytest.mark.parametrize("artifact_type", TYPES)
def test_every_field_says_what_it_means(artifact_type: ArtifactType) -> None:
    schema = cast("Any", artifact_json_schema(artifact_type))
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, field in part.get("properties", {}).items():
            assert field.get("description"), f"{part['title']}.{name}"


@pytest.mark.parametrize("artifact_type", TYPES)
def test_what_is_as_it_should_be_passes_both_checks(artifact_type: ArtifactType) -> None:
    assert problem_of(artifact_type, VALID[artifact_type]) is None
    assert faults(artifact_json_schema(artifact_type), VALID[artifact_type]) == []


@pytest.mark.parametrize("example", RECORDED, ids=lambda each: each["type"])
def test_a_recorded_example_still_has_its_digest(example: dict[str, Any]) -> None:
    written = canonical_json(example["metadata"])
    assert (sha256_digest(written), len(written)) == (example["digest"], example["size_bytes"])
    assert example["digest"] in artifact_page()


@pytest.mark.parametrize(("artifact_type", "path"), CLOSED)
def test_a_field_too_many_is_refused_wherever_it_stands(
    artifact_type: ArtifactType, path: tuple[str | int, ...]
) -> None:
    metadata = changed(artifact_type, *path, "surprise", to="x")
    field = ".".join(str(step) for step in (*path, "surprise"))
    assert str(problem_of(artifact_type, metadata)).startswith(f"{field}: unknown field")
    assert faults(artifact_json_schema(artifact_type), metadata)


WRONG: list[Any] = [[[]], {"x": {}}, True, -1.5]
"""Values that no field at the top of any metadata may have."""


def _fields() -> list[tuple[ArtifactType, str]]:
    closed = {name: fields for name, fields in VALID.items() if name != "module_output"}
    return [(name, field) for name, fields in closed.items() for field in fields]


@pytest.mark.parametrize(("artifact_type", "field"), _fields())
def test_a_field_of_another_kind_is_refused(artifact_type: ArtifactType, field: str) -> None:
    for wrong in WRONG:
        metadata = {**VALID[artifact_type], field: wrong}
        assert str(problem_of(artifact_type, metadata)).startswith(field)
        assert faults(artifact_json_schema(artifact_type), metadata)


@pytest.mark.parametrize(("artifact_type", "field"), _fields())
def test_a_missing_field_is_refused_unless_older_rows_lack_it(
    artifact_type: ArtifactType, field: str
) -> None:
    metadata = {name: each for name, each in VALID[artifact_type].items() if name != field}
    found = faults(artifact_json_schema(artifact_type), metadata)
    if (artifact_type, field) in OPTIONAL:
        assert (problem_of(artifact_type, metadata), found) == (None, [])
    else:
        assert problem_of(artifact_type, metadata) == f"{field}: missing: fill it"
        assert found


@pytest.mark.parametrize("field", VALID["policy_evaluation"]["intent"])
def test_an_evaluation_holds_the_whole_intent(field: str) -> None:
    metadata = copy.deepcopy(VALID["policy_evaluation"])
    del metadata["intent"][field]
    assert problem_of("policy_evaluation", metadata) == f"intent.{field}: missing: fill it"
    assert faults(artifact_json_schema("policy_evaluation"), metadata)


def test_an_evaluation_under_a_policy_of_before_there_were_limits_is_read() -> None:
    metadata = copy.deepcopy(VALID["policy_evaluation"])
    del metadata["committed"]
    del metadata["policy"]["budget_limits"]
    for name in ("approver_groups", "rejection_ends"):
        del metadata["policy"]["approval"][name]
    assert problem_of("policy_evaluation", metadata) is None
    assert faults(artifact_json_schema("policy_evaluation"), metadata) == []


NAME = "must be a name alone: no slash, nothing invisible"
SEEN = "must be text in which nothing is invisible"
DIGEST = "must be `sha256:<hex>`"
PLACE = "must be `artifact://local/<id>` or `artifact://<store>/sha256/<hex>`"
MEDIA = "must be a media type, like `text/plain`"

REFUSED: list[tuple[ArtifactType, tuple[str | int, ...], Any, str | None]] = [
    ("attachment", ("name",), "a/b", NAME),
    ("attachment", ("name",), "a\\b", NAME),
    ("attachment", ("name",), "a\x00b", NAME),
    ("attachment", ("name",), "a\x85b", NAME),
    ("attachment", ("name",), "invoice\u202efdp.exe", NAME),
    ("attachment", ("name",), "..", "names a folder: give the name of a file"),
    ("attachment", ("name",), "x" * 256, "String should have at most 255 characters"),
    ("attachment", ("name",), "", "String should have at least 1 character"),
    ("attachment", ("labels", "a\u2028"), "b", SEEN),
    ("attachment", ("labels", "a"), "b\x1b[2J", SEEN),
    ("attachment", ("labels", "a"), 1, "must be text"),
    ("attachment", ("labels", "x" * 65), "b", "String should have at most 64 characters"),
    ("attachment", ("content_ref",), None, "must be a JSON object"),
    ("attachment", ("content_ref", "digest"), HEX, "String should have at least 71 characters"),
    ("attachment", ("content_ref", "digest"), f"sha256:{HEX.upper()}", DIGEST),
    ("attachment", ("content_ref", "size_bytes"), True, "Input should be a valid integer"),
    (
        "attachment",
        ("content_ref", "size_bytes"),
        MAX_ARTIFACT_BYTES + 1,
        f"Input should be less than or equal to {MAX_ARTIFACT_BYTES}",
    ),
    ("attachment", ("content_ref", "media_type"), "text", MEDIA),
    ("attachment", ("content_ref", "media_type"), "text/html\r\nX-Evil: 1", MEDIA),
    ("attachment", ("content_ref", "uri"), "artifact://local/../x", PLACE),
    ("attachment", ("content_ref", "uri"), f"artifact://s3/sha256/{HEX}", PLACE),
    ("attachment", ("content_ref", "uri"), f"file:///sha256/{HEX}", PLACE),
    ("module_output", ("content_ref",), None, "must be a JSON object"),
    ("module_output", ("content_ref",), {"digest": "x"}, None),
    ("execution_start", ("run",), "0", "String should have at least 36 characters"),
    ("execution_end", ("artifacts", 0), "artifact://local/x", None),
    ("execution_end", ("status",), "canceled", "Input should be 'completed' or 'failed'"),
    ("execution_checkpoint", ("output", "cost"), "free", "must be a decimal number, as text"),
    ("execution_checkpoint", ("output", "cost"), 12.5, "must be text"),
    ("llm_usage", ("estimated_cost_usd",), "-1", "must be a decimal number, as text"),
    ("llm_usage", ("estimated_cost_usd",), "1e-6", "must be a decimal number, as text"),
    ("llm_call", ("error_type",), None, "must be given exactly when status is error"),
    ("llm_call", ("status",), "success", None),
    ("llm_call", ("roles",), ["user", "user"], "must name each role once"),
    ("llm_call", ("temperature",), 2.5, "Input should be less than or equal to 2"),
]


@pytest.mark.parametrize(("artifact_type", "path", "wrong", "problem"), REFUSED)
def test_what_is_wrong_is_told_by_the_name_of_its_field(
    artifact_type: ArtifactType, path: tuple[str | int, ...], wrong: Any, problem: str | None
) -> None:
    metadata = changed(artifact_type, *path, to=wrong)
    found = problem_of(artifact_type, metadata)
    assert found is not None
    assert found.isprintable()
    if problem is not None:
        assert found.endswith(f": {problem}")
        assert found.startswith(str(path[0]))
    assert faults(artifact_json_schema(artifact_type), metadata)


def test_labels_are_at_most_twenty() -> None:
    for number in (20, 21):
        metadata = changed("attachment", "labels", to={str(n): "" for n in range(number)})
        assert (problem_of("attachment", metadata) is None) is (number == 20)
        assert (faults(artifact_json_schema("attachment"), metadata) == []) is (number == 20)


def test_content_lies_under_its_own_digest_only() -> None:
    reference = {**VALID["attachment"]["content_ref"], "digest": f"sha256:{HEX}"}
    for store in ("filesystem", "r2"):
        right = {**reference, "uri": f"artifact://{store}/sha256/{HEX}"}
        assert problem_of("attachment", {**VALID["attachment"], "content_ref": right}) is None
        wrong = {**reference, "uri": f"artifact://{store}/sha256/{'ab' * 32}"}
        assert problem_of("attachment", {**VALID["attachment"], "content_ref": wrong}) == (
            "content_ref.uri: names another digest than the content's: use the same one"
        )


def test_a_modules_own_fields_are_its_own() -> None:
    own = {"content": "text", "metadata": {"a": [1, None]}, "type": 3, "": True}
    assert problem_of("module_output", own) is None
    assert faults(artifact_json_schema("module_output"), own) == []


@pytest.mark.parametrize("secret", ["messages", "content", "prompt", "response"])
def test_no_message_can_stand_in_what_is_kept_of_a_call(secret: str) -> None:
    metadata = {**VALID["llm_call"], secret: "my password is swordfish"}
    known = ", ".join([*VALID["llm_call"]][:-1])
    assert problem_of("llm_call", metadata) == (
        f"{secret}: unknown field; known fields are {known} and characters"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", object()])
def test_what_is_no_json_that_can_be_digested_is_refused(value: object) -> None:
    assert str(problem_of("module_output", {"x": value})).startswith(
        "this value has no canonical JSON"
    )
