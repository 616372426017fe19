"""The body of a service's answer, read without trust. Pure."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Body(BaseModel):
    """An answer's body, or a part of it: no type is bent, and what is not named is passed over."""

    model_config = ConfigDict(strict=True)


_Body = TypeVar("_Body", bound=Body)


def read_body(kind: type[_Body], content: bytes, *, what: str) -> _Body:
    """Return what the bytes of an answer hold.

    Args:
        kind: what they should hold.
        content: the bytes.
        what: the same in words, for the message.

    Raises:
        ValueError: they hold something else; neither it nor what it comes from quotes them.
    """
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        pass
    # Outside the handler: pydantic's own error quotes the body.
    raise ValueError(f"the answer is not {what} in JSON")
