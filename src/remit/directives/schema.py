"""The JSON Schema of a new directive, for editors, agents and `remit schema`."""

from pydantic import JsonValue

from remit.directives.models import DirectiveCreate

FILLED_IN = ("issued_by", "status")
"""Fields that a door fills in where they are left out: who proposes, and `proposed`."""


def directive_json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (2020-12) of what a door takes.

    That is what `parse_directive` accepts, without :data:`FILLED_IN` where they are left out.
    The schema says a little less than the parser: number and nesting limits, the size limit and
    the forms of a timebox are checked on arrival.
    """
    schema: dict[str, JsonValue] = DirectiveCreate.model_json_schema()
    needed = [name for name in DirectiveCreate.model_fields if name not in FILLED_IN]
    fields = DirectiveCreate.model_fields
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "required": [name for name in needed if fields[name].is_required()],
        "title": "Directive",
        "description": "What is to be done, by whom, for what purpose and within which limits.",
    }
