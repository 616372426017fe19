"""The body of a service's answer, read without trust. Pure."""

import codecs
import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Body(BaseModel):
    """An answer's body, or a part of it: no type is bent, and what is not named is passed over."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


_Body = TypeVar("_Body", bound=Body)


def read_body(kind: type[_Body], content: bytes, *, what: str) -> _Body:
    """Return what the bytes of an answer hold; `what` says in words what that should be.

    Raises:
        ValueError: they hold something else, or a key twice in one object, of which nobody knows
            which is meant; neither it nor what it comes from quotes them.
    """
    text = content.removeprefix(codecs.BOM_UTF8)
    try:
        body = kind.model_validate_json(text)
    except ValidationError:
        body = None
    # Outside the handler: pydantic's own error holds the body.
    if body is None:
        raise ValueError(f"the answer is {_seen(text)}not {what} in JSON")
    json.loads(text.decode(), object_pairs_hook=_each_once)
    return body


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the answer holds a key twice in one object")
    return found


def is_plain(content_encoding: str | None) -> bool:
    """Return whether a body with this header is sent as it is, and not compressed."""
    return all(
        each.strip().lower() in ("", "identity") for each in (content_encoding or "").split(",")
    )


def _seen(text: bytes) -> str:
    """Return what usual thing a body is instead of JSON, to stand before what it is not."""
    start = text.lstrip()[:10]
    if not start:
        return "empty, "
    if start.startswith(b"<"):
        return "a web page, "
    return "a stream of events, " if start.startswith((b"data:", b"event:", b":")) else ""
