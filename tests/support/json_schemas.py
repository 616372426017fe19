"""What an independent reader of JSON Schema says of a value."""

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

from remit.base.json_types import JsonObject


def faults(schema: JsonObject, value: object) -> list[str]:
    """Return every fault of a value in that reader's words; none when the schema accepts it."""
    return [str(fault.message) for fault in Draft202012Validator(schema).iter_errors(value)]


def check_schema(schema: JsonObject) -> None:
    """Return quietly when the schema itself is a proper one."""
    Draft202012Validator.check_schema(schema)
