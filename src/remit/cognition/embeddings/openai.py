"""Embeddings by OpenAI's service, or by another that speaks its protocol.

Needs the official SDK, which the extra `remit[openai]` installs; it is imported at the first
request. The SDK's own retries are off: `retrying` decides them.
"""

from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import SecretStr

from remit.cognition.addresses import ServiceAddress
from remit.cognition.embeddings.openai_addresses import (
    checked_key,
    checked_model,
    model_name,
    parse_address,
)
from remit.cognition.embeddings.provider import EmbeddingProviderError, embed_one, final
from remit.cognition.embeddings.types import (
    EMBEDDING_DIMENSIONS,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
)
from remit.cognition.openai_sdk import VENDOR_URL, connect
from remit.cognition.pricing import embedding_cost
from remit.cognition.sdk_clients import Opened, no_sdk

if TYPE_CHECKING:
    from openai import OpenAI

    from remit.cognition.embeddings.openai_answers import Answer

MAX_REQUEST_BYTES = 300_000
"""Most text sent at once, in bytes of UTF-8.

The service takes 300,000 tokens in one request, and no token is shorter than a byte.
"""


class OpenAIEmbeddingProvider:
    """Sends texts to a service and takes vectors of 1,536 numbers from it."""

    name = "openai"

    def __init__(
        self,
        *,
        model: str,
        api_key: SecretStr | None,
        base_url: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            model: what the service calls the model.
            api_key: the key; None only for a service on this machine.
            base_url: address of the service; None for the vendor's own.
            timeout_seconds: longest wait for the connection, for the start of an answer, and for
                the rest of it.

        Raises:
            EmbeddingProviderError: `misconfigured`; the message names the variable.
        """
        self._address: ServiceAddress = parse_address(base_url or VENDOR_URL)
        self._key = checked_key(api_key, self._address)
        self._asked_model = checked_model(model)
        self._timeout_seconds = timeout_seconds
        self._client: Opened[OpenAI] = Opened(
            partial(connect, self._address, key=self._key, timeout_seconds=timeout_seconds),
            without_sdk=no_sdk("OpenAI", "openai", otherwise="set EMBEDDING_PROVIDER to local"),
            misconfigured=partial(final, "misconfigured"),
        )
        self.model = model_name(self._asked_model, self._address)

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Return one vector for each text, in their order.

        Raises:
            EmbeddingProviderError: of any type but `disabled`.
        """
        client = self._client.get()
        started = perf_counter()
        answers = [self._ask(client, texts) for texts in _parts(request.texts)]
        vectors = tuple(vector for answer in answers for vector in answer.vectors)
        counts = [answer.total_tokens for answer in answers]
        known = [count for count in counts if count is not None]
        tokens = sum(known) if len(known) == len(counts) else None
        usage = EmbeddingUsage(
            tokens,
            embedding_cost(self._asked_model, tokens),
            (perf_counter() - started) * 1000,
        )
        try:
            return respond(request, vectors, model=self.model, usage=usage)
        except ValueError as error:
            raise _nonsense(error) from None

    def embed_single(self, text: str) -> tuple[float, ...]:
        """Return the vector of one text.

        Raises:
            InvalidInputError: the text is outside the bounds.
            EmbeddingProviderError: as `embed`.
        """
        return embed_one(self, text)

    def _ask(self, client: "OpenAI", texts: tuple[str, ...]) -> "Answer":
        """Send texts and return what came back.

        Raises:
            EmbeddingProviderError: nothing usable did.
        """
        import openai

        from remit.cognition.embeddings.openai_answers import read_answer
        from remit.cognition.embeddings.openai_failures import failure_of

        failure = None
        content = b""
        try:
            content = client.embeddings.with_raw_response.create(
                input=list(texts),
                model=self._asked_model,
                dimensions=EMBEDDING_DIMENSIONS,
                encoding_format="base64",
            ).content
        except openai.OpenAIError as error:
            failure = failure_of(error, timeout_seconds=self._timeout_seconds)
        if failure is not None:
            # Outside the handler: an error raised in there would carry the SDK's along, and with
            # it the request, its key and its texts.
            raise EmbeddingProviderError(failure)
        try:
            return read_answer(content, asked=len(texts))
        except ValueError as error:
            raise _nonsense(error) from None


def _nonsense(error: ValueError) -> EmbeddingProviderError:
    return final(
        "provider_error",
        f"the embedding service answered, but {error}: check that OPENAI_BASE_URL and "
        "EMBEDDING_MODEL name a service and a model that embed into 1536 numbers",
    )


def _parts(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the texts, in order, in as few parts as the service's limit lets them be."""
    part: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if part and size + length > MAX_REQUEST_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(text)
        size += length
    yield tuple(part)
