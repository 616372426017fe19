"""What is asked of a language model, what it answers, and the bounds of both. No I/O here.

What was said is left out of every `repr` and every error, so that neither a log nor a traceback
quotes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from decimal import Decimal, InvalidOperation
from functools import wraps
from inspect import signature
from typing import Annotated, Any, Literal, Self, TypeVar, dataclass_transform, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.dataclasses import dataclass

from remit.base.json_types import JsonObject, text_problem
from remit.base.wording import listed, quoted
from remit.cognition.addresses import is_model_name
from remit.errors import InvalidInputError
from remit.vocabulary import LLMErrorType

Role = Literal["system", "user", "assistant"]
"""Who says a message: the one who set the task, the one who asks, or the model."""

MAX_MESSAGES = 100
"""Most messages in one request."""

MAX_CHARACTERS = 200_000
"""Most characters in all messages of a request together."""

MAX_OUTPUT_TOKENS = 128_000
"""Most tokens that may be asked for; the largest models give no more."""

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field, Field))
def _value(cls: type[_T]) -> type[_T]:
    """Make a frozen value whose fields are checked however it is made.

    Its constructor raises InvalidInputError; `field` says where, and nothing is quoted.
    """
    config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    made: type[Any] = dataclass(frozen=True, slots=True, config=config)(cls)
    check: Callable[..., None] = made.__init__
    parameters = signature(made)

    @wraps(check)
    def construct(self: object, *args: object, **fields: object) -> None:
        # By name, so that an error names the field and not its place.
        named = parameters.bind(*args, **fields).arguments
        _unquoted(made, lambda: check(self, **named))

    made.__init__ = construct
    return made


class _Json:
    """A value with a JSON form."""

    __slots__ = ()

    def to_json(self) -> JsonObject:
        """Return the JSON form, which :meth:`from_json` reads."""
        form: JsonObject = TypeAdapter(type(self)).dump_python(self, mode="json")
        return form

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return what a JSON form holds; what has a default may be left out.

        Raises:
            InvalidInputError: it holds nothing of the kind; `field` says where.
        """
        return _read_json(cls, value)


def _read_json(cls: type[_T], value: object) -> _T:
    found: _T = _unquoted(cls, lambda: TypeAdapter(cls).validate_python(value))
    return found


def _unquoted(cls: type, check: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it checks
    try:
        return check()
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False, include_input=False)
    # Outside the handler: pydantic's own error holds what was said.
    places = list(first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    match first["type"]:
        case "missing":
            message = "is missing"
        case "unexpected_keyword_argument":
            owner: Any = LLMMessage if "messages" in places[:-1] else cls
            known = listed(sorted(owner.__dataclass_fields__), "and")
            message = f"no such field: {quoted(str(places.pop()))}; there are {known}"
        case "dataclass_type":
            message = "must be an object"
        case "tuple_type":
            message = "must be a list"
    path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in places)
    raise InvalidInputError(message, field=path.removeprefix(".") or None)


def _is(message: str) -> WrapValidator:
    """Say this of a field that is not as it should be, whatever is wrong with it."""

    def check(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise ValueError(message) from None

    return WrapValidator(check)


def _text(content: object) -> str:
    if not isinstance(content, str):
        raise ValueError("must be text")  # noqa: TRY004 - what pydantic takes for a fault
    if fault := text_problem(content) if content else "is empty: leave the message out":
        raise ValueError(fault)
    return content


def _conversation(messages: "tuple[LLMMessage, ...]") -> "tuple[LLMMessage, ...]":
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise ValueError(f"{len(messages)} messages: give between 1 and {MAX_MESSAGES}")
    characters = sum(len(message.content) for message in messages)
    if characters > MAX_CHARACTERS:
        raise ValueError(f"{characters} characters together: give at most {MAX_CHARACTERS}")
    roles = [message.role for message in messages]
    if roles[-1] != "user":
        raise ValueError("the last must be of user, so that there is something to answer")
    if "system" in roles[roles.count("system") :]:
        raise ValueError("those of system must come before all others")
    return messages


def _model_name(model: str) -> str:
    if not is_model_name(model):
        raise ValueError
    return model


def _amount_text(cost: Decimal) -> str:
    return f"{cost:f}"


def _amount(cost: object) -> object:
    try:
        return Decimal(cost) if isinstance(cost, str) else cost
    except InvalidOperation:
        raise ValueError from None


_Number = Annotated[StrictInt | StrictFloat, _is("must be a number")]
_Count = Annotated[StrictInt | None, _is("must be a whole number or null")]
_Text = Annotated[StrictStr, _is("must be text")]


@_value
class LLMMessage(_Json):
    """One message of a conversation; its content has 1 character or more."""

    role: Annotated[Role, _is(f"must be {listed(get_args(Role))}")]
    content: Annotated[str, BeforeValidator(_text)] = field(repr=False)


@_value
class LLMRequest(_Json):
    """What a language model is asked.

    Attributes:
        messages: 1 to 100, of 200,000 characters together; those of `system` come first, and the
            last is of `user`, which is what every vendor's models take.
        model: what the service calls the model; None for the one that LLM_MODEL names.
        max_tokens: most tokens that the answer may take, thoughts that are not shown included.
        temperature: how freely words are chosen, 0 to 2 (Anthropic's models stop at 1); None leaves
            it to the model, and must where a model takes no temperature.
        metadata: what the caller wants to know the request by, up to 16 short texts. It is never
            sent to a service.
    """

    messages: Annotated[tuple[LLMMessage, ...], AfterValidator(_conversation)]
    model: Annotated[
        Annotated[StrictStr, AfterValidator(_model_name)] | None,
        _is("is no model's name: at most 80 letters, digits and ._:/-"),
    ] = None
    max_tokens: Annotated[
        StrictInt,
        Field(ge=1, le=MAX_OUTPUT_TOKENS),
        _is(f"must be a whole number between 1 and {MAX_OUTPUT_TOKENS}"),
    ] = 1024
    temperature: Annotated[
        Annotated[StrictInt | StrictFloat, Field(ge=0, le=2)] | None,
        _is("must be a number between 0 and 2, or null"),
    ] = None
    metadata: Annotated[
        Mapping[
            Annotated[StrictStr, Field(min_length=1, max_length=64)],
            Annotated[StrictStr, Field(max_length=512)],
        ],
        Field(max_length=16),
        _is(
            "must be an object of at most 16 entries, each a name of 1 to 64 characters with a "
            "text of at most 512"
        ),
    ] = field(default_factory=dict, repr=False)

    @property
    def characters(self) -> int:
        """How many characters all messages have together."""
        return sum(len(message.content) for message in self.messages)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Which roles speak, each once, in the order of their first message."""
        return tuple(dict.fromkeys(message.role for message in self.messages))


@_value
class LLMUsage(_Json):
    """What an answer used up, as far as the provider counted it; tokens given out include thoughts.

    The cost is in US dollars at the listed price, None when that is not known; in JSON it is text,
    so that no digit is lost.
    """

    input_tokens: _Count
    output_tokens: _Count
    total_tokens: _Count
    estimated_cost_usd: Annotated[
        Annotated[Decimal, Strict(), BeforeValidator(_amount), PlainSerializer(_amount_text)]
        | None,
        _is("must be an amount, as text"),
    ]


NOTHING_USED = LLMUsage(0, 0, 0, Decimal(0))
"""What a request used up that was never sent, or refused."""

UNKNOWN_USED = LLMUsage(None, None, None, None)
"""What a request used up that gave no answer, though it may have been billed."""


@_value
class LLMResponse(_Json):
    """What a language model answered; `model` is in the service's own words.

    One that is truncated breaks off for want of tokens, or may, since the service does not say how
    it ended.
    """

    content: _Text = field(repr=False)
    model: _Text
    usage: LLMUsage
    latency_ms: _Number
    truncated: Annotated[StrictBool, _is("must be true or false")] = False

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return what a JSON form holds; it must say whether the answer is truncated."""
        if isinstance(value, dict) and "truncated" not in value:
            raise InvalidInputError("is missing", field="truncated")
        return _read_json(cls, value)


@_value
class LLMError(_Json):
    """Why a provider failed, as a `failures.Failure` says it."""

    error_type: LLMErrorType
    error_message: str
    retryable: bool = False
