"""Embeddings by OpenAI's service, or by another that speaks its protocol.

Needs the SDK, the extra `remit[openai]`, which is imported at the first request.
"""

import base64
import struct
from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from remit.cognition.addresses import checked_key, checked_model, parse_address
from remit.cognition.bodies import Body, read_body
from remit.cognition.embeddings.provider import EmbeddingProvider, EmbeddingProviderError, final
from remit.cognition.embeddings.types import (
    EMBEDDING_DIMENSIONS,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
)
from remit.cognition.failures import Words, failure_of
from remit.cognition.pricing import embedding_cost
from remit.cognition.sdk import OPENAI_URL, Opened, connect_openai, no_sdk

if TYPE_CHECKING:
    from openai import OpenAI

MAX_REQUEST_BYTES = 300_000
"""Most text sent at once: the service takes as many tokens, and none is shorter than a byte."""

WORDS = Words(
    service="the embedding service",
    sdk="OpenAI",
    key="set OPENAI_API_KEY to a key that may use this model",
    place="check EMBEDDING_MODEL and OPENAI_BASE_URL",
    address="OPENAI_BASE_URL",
    request="most likely a text has more tokens than the model takes, so shorten it, or the model "
    "cannot give 1536 dimensions, so set EMBEDDING_MODEL to one that can",
    offer="embeddings",
)
"""How its failures are told."""

_PACKED = struct.Struct(f"<{EMBEDDING_DIMENSIONS}f")


class OpenAIEmbeddingProvider(EmbeddingProvider):
    """Sends texts to a service and takes vectors of 1,536 numbers from it; does not ask again."""

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

        Only a service on this machine needs no key; `base_url` is None for the vendor's own.

        Raises:
            EmbeddingProviderError: `misconfigured`; the message names the variable.
        """
        try:
            self._address = parse_address(base_url or OPENAI_URL, variable="OPENAI_BASE_URL")
            self._key = checked_key(
                api_key,
                self._address,
                variable="OPENAI_API_KEY",
                missing="no key for the embedding service: set OPENAI_API_KEY, or set "
                "EMBEDDING_PROVIDER to local, which needs none",
            )
            self._asked_model = checked_model(
                model, variable="EMBEDDING_MODEL", example="text-embedding-3-small"
            )
        except ValueError as error:
            raise final("misconfigured", str(error)) from None
        self._timeout_seconds = timeout_seconds
        self._client: Opened[OpenAI] = Opened(
            partial(connect_openai, self._address, key=self._key, timeout_seconds=timeout_seconds),
            without_sdk=no_sdk("OpenAI", "openai", otherwise="set EMBEDDING_PROVIDER to local"),
            misconfigured=partial(final, "misconfigured"),
        )
        # What two services call by one name need not be one model.
        place = "" if self._address.url == OPENAI_URL else f" at {self._address.place}"
        self.model = f"{model}@{EMBEDDING_DIMENSIONS}{place}"

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Return one vector for each text, in their order.

        Raises:
            EmbeddingProviderError: of any type but `disabled`.
        """
        client = self._client.get()
        started = perf_counter()
        vectors: list[tuple[float, ...]] = []
        tokens: int | None = 0
        try:
            for texts in _parts(request.texts):
                answer = read_body(_Answer, self._ask(client, texts), what="a list of vectors")
                vectors += answer.vectors_of(len(texts))
                counted = answer.usage.total_tokens if answer.usage else None
                # Every text takes tokens: a count of none was never made.
                tokens = tokens + counted if tokens is not None and counted else None
            latency_ms = (perf_counter() - started) * 1000
            usage = EmbeddingUsage(tokens, embedding_cost(self._asked_model, tokens), latency_ms)
            return respond(request, tuple(vectors), model=self.model, usage=usage)
        except ValueError as error:
            raise final(
                "provider_error",
                f"the embedding service answered, but {error}: check that OPENAI_BASE_URL and "
                "EMBEDDING_MODEL name a service and a model that embed into 1536 numbers",
            ) from None

    def _ask(self, client: "OpenAI", texts: tuple[str, ...]) -> bytes:
        import openai

        try:
            return client.embeddings.with_raw_response.create(
                input=list(texts),
                model=self._asked_model,
                dimensions=EMBEDDING_DIMENSIONS,
                encoding_format="base64",
            ).content
        except openai.OpenAIError as error:
            failure = failure_of(error, openai, WORDS, timeout_seconds=self._timeout_seconds)
        # Outside the handler: an error raised in there would carry the SDK's along, and with it
        # the request, its key and its texts.
        raise EmbeddingProviderError(failure)


class _Vector(Body):
    index: int
    embedding: str | list[float]

    def numbers(self) -> tuple[float, ...]:
        """Return the numbers, which come as they are or, as asked for, as base64 of floats."""
        if not isinstance(self.embedding, str):
            return tuple(self.embedding)
        try:
            packed = base64.b64decode(self.embedding, validate=True)
        except ValueError:
            packed = b""
        if len(packed) != _PACKED.size:
            raise ValueError(f"a vector is not {EMBEDDING_DIMENSIONS} numbers in base64")
        return _PACKED.unpack(packed)


class _Usage(Body):
    total_tokens: int | None = Field(default=None, ge=0)


class _Answer(Body):
    data: list[_Vector]
    usage: _Usage | None = None

    def vectors_of(self, asked: int) -> list[tuple[float, ...]]:
        """Return the vectors, one for each text in their order; ValueError if there are not."""
        # A service may answer in another order; the index says which text a vector is of.
        by_index = {vector.index: vector for vector in self.data}
        if len(self.data) != asked or set(by_index) != set(range(asked)):
            raise ValueError(f"the answer does not hold one vector for each of {asked} texts")
        return [by_index[place].numbers() for place in range(asked)]


def _parts(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
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
