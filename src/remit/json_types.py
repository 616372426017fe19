"""The names of JSON's shapes, and its largest whole number. Every layer may use them."""

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]
"""A JSON object."""

MAX_NUMBER = 2**53 - 1
"""Largest magnitude of a number, whole or not.

RFC 8785 writes numbers as IEEE 754 doubles, which hold whole numbers exactly up to here. Larger
floats are refused as well: Postgres' JSONB returns 1e300 as a whole number of 301 digits, so the
digest of what was stored could no longer be computed.
"""
