"""What OpenAI's SDK raises, as every kind of OpenAI provider reads it; imports the SDK."""

import openai

from remit.cognition.service_failures import SdkErrors

OPENAI_ERRORS = SdkErrors(
    late=openai.APITimeoutError,
    unreachable=openai.APIConnectionError,
    refused=openai.APIStatusError,
)
"""The errors of the SDK."""
