"""What tells one vendor of language models from another: its variables, address and words. Pure.

`service` checks settings with it, and the modules of failures speak with it.
"""

from dataclasses import dataclass

from remit.cognition.llm.types import LLMError
from remit.cognition.openai_sdk import VENDOR_URL
from remit.cognition.service_failures import SdkErrors, Words, failure_of


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
