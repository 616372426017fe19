"""The JSON Schema of a new directive, for editors, agents and `remit schema`."""

from pydantic import JsonValue

from remit.directives.models import DirectiveCreate


def directive_json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (2020-12) of what `parse_directive` accepts.

    The schema says a little less than the parser: number and nesting limits, the size limit and
    the forms of a timebox are checked on arrival.
    """
    schema: dict[str, JsonValue] = DirectiveCreate.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Directive",
        "description": "What is to be done, by whom, for what purpose and within which limits.",
    }
