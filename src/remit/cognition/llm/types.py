"""What is asked of a language model, what it answers, and the bounds of both. No I/O here.

Callers build an :class:`LLMRequest`, providers an :class:`LLMResponse`. What was said is left out
of every `repr`, so that neither a log nor a traceback quotes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Self

from remit.base.json_types import JsonObject
from remit.cognition.llm import bounds
from remit.cognition.llm.bounds import Role
from remit.cognition.llm.strict_json import at, read_object
from remit.errors import InvalidInputError
from remit.vocabulary import LLMErrorType


@dataclass(frozen=True, slots=True)
class LLMMessage:
    """One message of a conversation.

    Attributes:
        role: who says it.
        content: what is said, 1 character or more.

    Raises:
        InvalidInputError: it is not so; `field` says what.
    """

    role: Role
    content: str = field(repr=False)

    def __post_init__(self) -> None:
        """Hold the bounds."""
        _refuse("role", bounds.role_fault(self.role))
        _refuse("content", bounds.text_fault(self.content))

    def to_json(self) -> JsonObject:
        """Return the JSON form."""
        return {"role": self.role, "content": self.content}

    @classmethod
    def from_json(cls, value: object, *, place: str = "") -> Self:
        """Return the message that a JSON form holds.

        Args:
            value: the JSON form.
            place: where it stands, as a dotted path; empty for the outermost.

        Raises:
            InvalidInputError: it holds none; `field` says where.
        """
        kinds = {"role": (str,), "content": (str,)}
        fields = read_object(value, kinds, required=kinds, place=place)
        try:
            return cls(**fields)
        except InvalidInputError as error:
            raise InvalidInputError(error.message, field=at(place, error.field or "")) from None


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """What a language model is asked.

    Attributes:
        messages: 1 to 100, of 200,000 characters together; those of `system` come first, and the
            last is of `user`, which is what every vendor's models take.
        model: what the service calls the model; None for the one that LLM_MODEL names.
        max_tokens: most tokens that the answer may take, thoughts that are not shown included.
        temperature: how freely words are chosen, 0 to 2; None leaves it to the model, and must
            where a model takes no temperature.
        metadata: what the caller wants to know the request by, up to 16 short texts. It is never
            sent to a service.

    Raises:
        InvalidInputError: a bound is passed; `field` says which.
    """

    messages: tuple[LLMMessage, ...]
    model: str | None = None
    max_tokens: int = 1024
    temperature: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Hold the bounds."""
        roles = [message.role for message in self.messages]
        _refuse("messages", bounds.conversation_fault(roles, self.characters))
        _refuse("model", bounds.model_fault(self.model))
        _refuse("max_tokens", bounds.max_tokens_fault(self.max_tokens))
        _refuse("temperature", bounds.temperature_fault(self.temperature))
        _refuse("metadata", bounds.metadata_fault(self.metadata))

    @property
    def characters(self) -> int:
        """How many characters all messages have together."""
        return sum(len(message.content) for message in self.messages)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Which roles speak, each once, in the order of their first message."""
        return tuple(dict.fromkeys(message.role for message in self.messages))

    def to_json(self) -> JsonObject:
        """Return the JSON form, which :meth:`from_json` reads."""
        return {
            "messages": [message.to_json() for message in self.messages],
            "model": self.model,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the request that a JSON form holds; all but `messages` may be left out.

        Raises:
            InvalidInputError: it holds none; `field` says where, and no message is quoted.
        """
        fields = read_object(
            value,
            {
                "messages": (list,),
                "model": (str, type(None)),
                "max_tokens": (int,),
                "temperature": (float, int, type(None)),
                "metadata": (dict,),
            },
            required=("messages",),
        )
        fields["messages"] = tuple(
            LLMMessage.from_json(each, place=f"messages[{place}]")
            for place, each in enumerate(fields["messages"])
        )
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class LLMUsage:
    """What an answer used up; `remit.cognition.llm.usage` makes it.

    Attributes:
        input_tokens: tokens put in; None when the provider did not count them.
        output_tokens: tokens given out, thoughts included; None when it did not count them.
        total_tokens: both together; None when it did not count them.
        estimated_cost_usd: US dollars at the listed price; None when the price is not known.
    """

    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    estimated_cost_usd: Decimal | None

    def to_json(self) -> JsonObject:
        """Return the JSON form; the cost is text, so that no digit is lost."""
        cost = self.estimated_cost_usd
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "estimated_cost_usd": None if cost is None else f"{cost:f}",
        }

    @classmethod
    def from_json(cls, value: object, *, place: str = "") -> Self:
        """Return the usage that a JSON form holds.

        Raises:
            InvalidInputError: it holds none.
        """
        count = (int, type(None))
        kinds = {
            "input_tokens": count,
            "output_tokens": count,
            "total_tokens": count,
            "estimated_cost_usd": (str, type(None)),
        }
        fields = read_object(value, kinds, required=kinds, place=place)
        cost = fields.pop("estimated_cost_usd")
        try:
            return cls(**fields, estimated_cost_usd=None if cost is None else Decimal(cost))
        except InvalidOperation:
            where = at(place, "estimated_cost_usd")
            raise InvalidInputError("must be an amount, as text", field=where) from None


@dataclass(frozen=True, slots=True)
class LLMResponse:
    """What a language model answered.

    Attributes:
        content: the answer.
        model: which model gave it, in the service's own words.
        usage: what it used up.
        latency_ms: milliseconds until the answer was there.
        truncated: whether it breaks off because the tokens that it may take were used up, or may do
            so because the service does not say how it ended.
    """

    content: str = field(repr=False)
    model: str
    usage: LLMUsage
    latency_ms: float
    truncated: bool = False

    def to_json(self) -> JsonObject:
        """Return the JSON form, which :meth:`from_json` reads."""
        return {
            "content": self.content,
            "model": self.model,
            "usage": self.usage.to_json(),
            "latency_ms": self.latency_ms,
            "truncated": self.truncated,
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the response that a JSON form holds.

        Raises:
            InvalidInputError: it holds none.
        """
        kinds: dict[str, tuple[type, ...]] = {
            "content": (str,),
            "model": (str,),
            "usage": (dict,),
            "latency_ms": (float, int),
            "truncated": (bool,),
        }
        fields = read_object(value, kinds, required=kinds)
        fields["usage"] = LLMUsage.from_json(fields["usage"], place="usage")
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class LLMError:
    """Why a provider failed.

    Attributes:
        error_type: which kind of failure it is.
        error_message: what is wrong and how to mend it; never holds a key or what was said.
        retryable: whether the same request may succeed later with nothing changed.
    """

    error_type: LLMErrorType
    error_message: str
    retryable: bool = False

    def to_json(self) -> JsonObject:
        """Return the JSON form."""
        return {
            "error_type": self.error_type,
            "error_message": self.error_message,
            "retryable": self.retryable,
        }


def _refuse(name: str, fault: str | None) -> None:
    if fault is not None:
        raise InvalidInputError(fault, field=name)
