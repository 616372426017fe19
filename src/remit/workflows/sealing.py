"""Seals what is asked of language models and answered, in Temporal's histories.

The LLM worker, and whoever starts or awaits what it serves, use a client that :func:`sealed`
returns. Arguments, results, errors and their details are sealed; the names of workflows, activities
and queues, and ids, are not. What was not sealed is refused, so whoever reaches Temporal without
the key can ask nothing of a model.
"""

from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from remit.errors import UnverifiableError
from remit.signing.sealing import Seal

_ENCODING = b"binary/encrypted"
_KEY = "remit-key"


class SealedPayloads(PayloadCodec):
    """Seals every payload on its way to Temporal, and opens it on its way back."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads, sealed."""
        closed = []
        for each in payloads:
            name, data = self._seal.close(each.SerializeToString())
            metadata = {"encoding": _ENCODING, _KEY: name.encode()}
            closed.append(Payload(metadata=metadata, data=data))
        return closed

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads as they were before they were sealed.

        Raises:
            UnverifiableError: one was not sealed, or not with a key that is here.
        """
        return [self._opened(each) for each in payloads]

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _ENCODING:
            raise UnverifiableError(
                "this was not sealed: start what thinks with a client that seals, as "
                "`remit.workflows.sealing.sealed` returns one"
            )
        name = payload.metadata.get(_KEY, b"").decode("ascii", "replace")
        return Payload.FromString(self._seal.open(name, payload.data))


def sealed(client: Client, seal: Seal) -> Client:
    """Return a client on the same connection that seals everything it hands to Temporal."""
    config = client.config()
    config["data_converter"] = replace(
        config["data_converter"],
        payload_codec=SealedPayloads(seal),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    return Client(**config)
