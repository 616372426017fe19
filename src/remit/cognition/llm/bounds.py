"""What may be asked of a language model, as rules that say what is wrong; pure.

`types` applies them. Each returns a message that follows the name of the field, and never repeats
what was said; None for nothing wrong.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from remit.base.json_types import text_problem
from remit.base.wording import listed
from remit.cognition.addresses import is_model_name

Role = Literal["system", "user", "assistant"]
"""Who says a message: the one who set the task, the one who asks, or the model."""

MAX_MESSAGES = 100
"""Most messages in one request."""

MAX_CHARACTERS = 200_000
"""Most characters in all messages of a request together."""

MAX_OUTPUT_TOKENS = 128_000
"""Most tokens that may be asked for; the largest models give no more."""

MAX_TEMPERATURE = 2
"""Highest temperature; Anthropic's models stop at 1."""

MAX_METADATA = 16
"""Most entries of a request's metadata."""

MAX_METADATA_NAME = 64
"""Longest name of one, in characters."""

MAX_METADATA_VALUE = 512
"""Longest value of one, in characters."""


def role_fault(role: object) -> str | None:
    """Return what is wrong with the role of a message."""
    return None if role in get_args(Role) else f"must be {listed(get_args(Role))}"


def text_fault(text: object) -> str | None:
    """Return what is wrong with the content of a message."""
    if not isinstance(text, str):
        return "must be text"
    return text_problem(text) if text else "is empty: leave the message out"


def conversation_fault(roles: Sequence[str], characters: int) -> str | None:
    """Return what is wrong with the messages of a request together.

    Args:
        roles: who says each, in their order.
        characters: how many characters they have together.
    """
    if not 1 <= len(roles) <= MAX_MESSAGES:
        return f"{len(roles)} messages: give between 1 and {MAX_MESSAGES}"
    if characters > MAX_CHARACTERS:
        return f"{characters} characters together: give at most {MAX_CHARACTERS}"
    if roles[-1] != "user":
        return "the last must be of user, so that there is something to answer"
    spoken = [place for place, role in enumerate(roles) if role != "system"]
    if "system" in roles[spoken[0] :]:
        return "those of system must come before all others"
    return None


def model_fault(model: object) -> str | None:
    """Return what is wrong with the name of a model; None names none, which is allowed."""
    if model is None or (isinstance(model, str) and is_model_name(model)):
        return None
    return "is no model's name: at most 80 letters, digits and ._:/-"


def max_tokens_fault(max_tokens: object) -> str | None:
    """Return what is wrong with the most tokens of an answer."""
    # Not isinstance: true is no number.
    if type(max_tokens) is int and 1 <= max_tokens <= MAX_OUTPUT_TOKENS:
        return None
    return f"must be a whole number between 1 and {MAX_OUTPUT_TOKENS}"


def temperature_fault(temperature: object) -> str | None:
    """Return what is wrong with a temperature; None leaves it to the model, which is allowed."""
    if temperature is None:
        return None
    fault = f"must be a number between 0 and {MAX_TEMPERATURE}, or null"
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        return fault
    # A number that is none compares false, so it is refused too.
    return None if 0 <= temperature <= MAX_TEMPERATURE else fault


def metadata_fault(metadata: object) -> str | None:
    """Return what is wrong with the metadata of a request."""
    if not isinstance(metadata, Mapping):
        return "must be an object"
    if len(metadata) > MAX_METADATA:
        return f"{len(metadata)} entries: give at most {MAX_METADATA}"
    for name, value in metadata.items():
        if not (isinstance(name, str) and 1 <= len(name) <= MAX_METADATA_NAME):
            return f"a name must be text of 1 to {MAX_METADATA_NAME} characters"
        if not (isinstance(value, str) and len(value) <= MAX_METADATA_VALUE):
            return f"a value must be text of at most {MAX_METADATA_VALUE} characters"
    return None
