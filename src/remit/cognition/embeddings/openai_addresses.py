"""Where OpenAI's embedding service is, its key and its model, checked before a text is sent. Pure.

`openai` asks when it is built. The rules are those of `remit.cognition.addresses`; a wrong setting
becomes an error of this kind of provider here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from remit.cognition import addresses
from remit.cognition.addresses import ServiceAddress
from remit.cognition.embeddings.provider import final
from remit.cognition.embeddings.types import EMBEDDING_DIMENSIONS
from remit.cognition.openai_sdk import VENDOR_URL


def parse_address(url: str) -> ServiceAddress:
    """Return the address of a service.

    Raises:
        EmbeddingProviderError: `misconfigured`: it is none, or texts and key would travel in clear.
    """
    with _own_error():
        return addresses.parse_address(url, variable="OPENAI_BASE_URL")


def checked_key(api_key: SecretStr | None, address: ServiceAddress) -> str:
    """Return the key to send.

    Raises:
        EmbeddingProviderError: `misconfigured`: there is none, or it is not one.
    """
    with _own_error():
        return addresses.checked_key(
            api_key,
            address,
            variable="OPENAI_API_KEY",
            missing="no key for the embedding service: set OPENAI_API_KEY, or set "
            "EMBEDDING_PROVIDER to local, which needs none",
        )


def checked_model(model: str) -> str:
    """Return the model's name as the service knows it.

    Raises:
        EmbeddingProviderError: `misconfigured`: it cannot be one.
    """
    with _own_error():
        return addresses.checked_model(
            model, variable="EMBEDDING_MODEL", example="text-embedding-3-small"
        )


def model_name(model: str, address: ServiceAddress) -> str:
    """Return the name that vectors are recorded under: model, length, and service if another's.

    What two services call by one name need not be one model.
    """
    name = f"{model}@{EMBEDDING_DIMENSIONS}"
    return name if address.url == VENDOR_URL else f"{name} at {address.place}"


@contextmanager
def _own_error() -> Iterator[None]:
    """Turn what `addresses` refuses into this kind of provider's error."""
    try:
        yield
    except ValueError as error:
        raise final("misconfigured", str(error)) from None
