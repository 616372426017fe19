"""What tells one vendor of language models from another: its variables, address and words. Pure.

`service` checks settings with it, and the modules of failures speak with it.
"""

import re
from dataclasses import dataclass

from remit.cognition.llm.types import LLMError
from remit.cognition.openai_sdk import VENDOR_URL
from remit.cognition.service_failures import SdkErrors, Words, failure_of

UNSUPPORTED_LIMIT = re.compile(
    r"(unsupported|unrecognized|unknown|unexpected).{0,90}max_(completion_)?tokens"
    r"|max_(completion_)?tokens.{0,90}(not (supported|permitted|allowed)|instead)"
)
"""How services say, in lower case, that they do not know the name that bounds an answer."""

_TOO_LONG = re.compile(
    r"context.?(length|window|size|limit)|(prompt|input|request) is too (long|large)"
    r"|too many (input )?tokens|reduce the length|tokens.{0,20} must be <="
)


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor whose protocol a provider speaks.

    Attributes:
        name: the word that chooses the provider, and the extra that installs its SDK.
        title: what the vendor is called.
        url: where its own service is.
        key_variable: the environment variable of the key.
        address_variable: the environment variable of another address.
        example: a model of it, for messages.
    """

    name: str
    title: str
    url: str
    key_variable: str
    address_variable: str
    example: str

    @property
    def words(self) -> Words:
        """How failures of its service are told."""
        return Words(
            service=f"the language model service ({self.name})",
            sdk=self.title,
            key=f"set {self.key_variable} to a key that may use this model",
            place=f"check the model's name (LLM_MODEL) and {self.address_variable}",
            address=self.address_variable,
            request="most likely the messages have more tokens than the model takes, so shorten "
            "them, or the model takes no temperature or fewer max_tokens, so leave the first out "
            "and lower the second",
            offer="answers",
            known=self._known,
        )

    @property
    def _known(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """What vendors and compatible services say of a request, and what that means."""
        return (
            (
                UNSUPPORTED_LIMIT,
                (
                    "does not take max_tokens, or max_completion_tokens, for this model: name "
                    f"another with LLM_MODEL, or another service with {self.address_variable}"
                ),
            ),
            (
                _TOO_LONG,
                (
                    "refused the request: messages and answer together have more tokens than the "
                    "model takes, so shorten them or lower max_tokens"
                ),
            ),
            (
                re.compile(r"max_(completion_|output_|new_)?tokens"),
                "refused max_tokens: most likely it is more than the model gives, so lower it",
            ),
            (
                re.compile(r"temperature"),
                "refused the temperature: leave it out, or choose one that the model takes",
            ),
            (
                re.compile(r"content_filter|content.{0,12} policy|moderation"),
                "refused to have these messages answered: ask for something else",
            ),
        )


ANTHROPIC = Vendor(
    name="anthropic",
    title="Anthropic",
    url="https://api.anthropic.com",
    key_variable="ANTHROPIC_API_KEY",
    address_variable="ANTHROPIC_BASE_URL",
    example="claude-sonnet-5-5",
)

OPENAI = Vendor(
    name="openai",
    title="OpenAI",
    url=VENDOR_URL,
    key_variable="OPENAI_API_KEY",
    address_variable="OPENAI_BASE_URL",
    example="gpt-6.2-sol",
)


def error_of(
    error: Exception, *, errors: SdkErrors, vendor: Vendor, timeout_seconds: float
) -> LLMError:
    """Return what an error means that was raised while a service was asked.

    It is told in the bounded words of `types`, which know no rate limit of its own.

    Args:
        error: what was raised.
        errors: what the vendor's SDK raises.
        vendor: whose SDK it is.
        timeout_seconds: how long the service was allowed, for the message.
    """
    failure = failure_of(error, errors, vendor.words, timeout_seconds=timeout_seconds)
    kind = failure.kind
    return LLMError(
        "provider_error" if kind == "rate_limited" else kind,
        failure.message,
        retryable=failure.retryable,
    )
