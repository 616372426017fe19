"""The names of JSON's shapes, for annotations. Every layer may use them."""

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]
"""A JSON object."""
