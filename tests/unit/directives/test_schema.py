"""The exported schema says what the parser asks for."""

import json
from typing import Any

from remit.directives.models import TEXT_LIMITS, DirectiveCreate, directive_json_schema


def test_the_schema_names_its_dialect_and_its_subject_and_no_address() -> None:
    schema = directive_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Directive"
    assert schema["description"] == (
        "What is to be done, by whom, for what purpose and within which limits."
    )
    assert "$id" not in schema
    assert json.loads(json.dumps(schema)) == schema


def test_the_schema_lists_every_field_with_its_meaning_and_no_other() -> None:
    schema: dict[str, Any] = directive_json_schema()
    assert list(schema["properties"]) == list(DirectiveCreate.model_fields)
    assert all(field["description"] for field in schema["properties"].values())
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["role", "type", "objective", "scope"]


def test_the_schema_leaves_open_what_doors_fill_in_and_says_so() -> None:
    schema: dict[str, Any] = directive_json_schema()
    assert "whoever proposes" in schema["properties"]["issued_by"]["description"]
    assert "left out" in schema["properties"]["status"]["description"]


def test_the_schema_and_the_parser_share_their_text_limits() -> None:
    schema: dict[str, Any] = directive_json_schema()
    for name, limit in TEXT_LIMITS.items():
        field = schema["properties"][name]
        text = field.get("anyOf", [field])[0]
        assert (text["type"], text["minLength"], text["maxLength"]) == ("string", 1, limit)


def test_the_schema_knows_both_first_statuses_and_no_default() -> None:
    schema: dict[str, Any] = directive_json_schema()
    assert schema["properties"]["status"]["enum"] == ["draft", "proposed"]
    assert "default" not in schema["properties"]["status"]
