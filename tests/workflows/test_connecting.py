"""How a client of Temporal is made: never through a proxy, and never without an end."""

import asyncio
import socket
import time

import pytest
from temporalio.client import Client

from remit.errors import MisconfiguredError, UnavailableError
from remit.workflows import client as clients
from tests.support.sdk_variables import PROXIES


async def test_no_proxy_stands_before_a_front_end(
    client: Client, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    connected = await clients.connect(temporal_address, client.namespace)
    assert connected.namespace == client.namespace


async def test_a_namespace_that_does_not_exist_is_named(temporal_address: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^TEMPORAL_NAMESPACE: .* no such namespace"):
        await clients.connect(temporal_address, "nobody-made-this-one")


@pytest.mark.parametrize("address", ["a b", "host:port"])
async def test_what_is_no_address_is_told_as_such(address: str) -> None:
    with pytest.raises((MisconfiguredError, UnavailableError), match="TEMPORAL_ADDRESS"):
        await clients.connect(address, "default")


async def test_a_front_end_that_takes_calls_and_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"does not answer within 0\.2 s"):
            await asyncio.wait_for(clients.connect(f"{host}:{port}", "default"), 30)
    assert time.monotonic() - began < 20
