"""Embeddings without a key and without a network: wordllama, whose weights come with its package.

It knows words and no grammar: weaker than a large model where the order of the words decides.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

from remit.cognition.embeddings.provider import EmbeddingProvider, final
from remit.cognition.embeddings.types import (
    EMBEDDING_DIMENSIONS,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
)
from remit.cognition.sdk import logging_left_alone

_FILES: Mapping[str, str] = {
    "weights/l2_supercat_256.safetensors": (
        "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"
    ),
    "tokenizers/l2_supercat_tokenizer_config.json": (
        "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68"
    ),
}
"""The files that the model's name stands for, with their SHA-256; see :func:`_load`."""


class LocalEmbeddingProvider(EmbeddingProvider):
    """Embeds on this machine; the model is loaded at the first request and kept."""

    name = "local"
    model = "wordllama-l2-supercat-256@1536"

    def __init__(self) -> None:
        self._loading = Lock()
        self._loaded: Any = None

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Return one vector for each text: 256 numbers of length one, the rest zeros.

        Zeros change neither an angle nor a length, so they change no comparison.

        Raises:
            EmbeddingProviderError: the model cannot be loaded (`misconfigured`), or a text has
                nothing in it that the model knows (`invalid_request`).
        """
        model = self._model()
        started = perf_counter()
        # One at a time: a batch is padded to its longest text, which costs time, and gigabytes of
        # memory at worst. The vectors are the same to the last bit.
        raw = model.embed(list(request.texts), batch_size=1)
        vectors = tuple(_filled_up(row, place) for place, row in enumerate(raw.tolist()))
        usage = EmbeddingUsage(None, Decimal(0), (perf_counter() - started) * 1000)
        return respond(request, vectors, model=self.model, usage=usage)

    def _model(self) -> Any:  # noqa: ANN401 - the package has no types
        with self._loading:
            if self._loaded is None:
                try:
                    self._loaded = _load()
                except (ImportError, OSError, RuntimeError, ValueError) as error:
                    raise final(
                        "misconfigured",
                        f"the local model cannot be loaded ({type(error).__name__}): install Remit "
                        "again, which brings wordllama with its weights, or set "
                        "EMBEDDING_PROVIDER to openai",
                    ) from error
            return self._loaded


def _load() -> Any:  # noqa: ANN401 - as above
    with logging_left_alone():
        import wordllama  # type: ignore[import-untyped]
    folder = Path(wordllama.__file__).parent
    # Other weights under the same name would be compared with vectors that the old ones made.
    for name, digest in _FILES.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(
                f"{name} is another file than the one that the model's name stands for"
            )
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)


def _filled_up(row: list[float], place: int) -> tuple[float, ...]:
    """Return a vector of length one, zeros added up to the stored length."""
    length = sum(number * number for number in row) ** 0.5
    if not length:
        raise final(
            "invalid_request",
            f"text {place + 1} holds nothing that the local model knows: write it in words",
        )
    zeros = (0.0,) * (EMBEDDING_DIMENSIONS - len(row))
    return (*(number / length for number in row), *zeros)
