"""What the providers on a service do the same, each with its own SDK; over real HTTP."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pytest
from pydantic import SecretStr

from remit.base.json_types import JsonObject
from remit.cognition.addresses import parse_address
from remit.cognition.llm.anthropic import ANTHROPIC, AnthropicLLMProvider
from remit.cognition.llm.openai import OPENAI, OpenAILLMProvider
from remit.cognition.llm.service import Vendor, error_of
from remit.cognition.llm.types import LLMMessage, LLMRequest
from tests.support.embedding_server import Reply
from tests.support.llm_asking import (
    CANARY,
    REQUEST,
    TEXT,
    anthropic_provider,
    failure,
    openai_provider,
)
from tests.support.llm_server import LLMServer
from tests.support.sdk_variables import SDK_VARIABLES

Provider = AnthropicLLMProvider | OpenAILLMProvider


@dataclass(frozen=True)
class Service:
    """A provider's own parts.

    Attributes:
        sdk: the name of its SDK, and of the extra that installs it.
        vendor: whose service it asks when nothing else is named.
        make: makes the provider.
        asking: makes it so that it asks a service of the test's.
        unpaid: the error of an account without credit.
        raised: the name of the SDK's class of errors.
    """

    sdk: str
    vendor: Vendor
    make: type[Provider]
    asking: Callable[..., Provider]
    unpaid: JsonObject
    raised: str


SERVICES = {
    "anthropic": Service(
        "anthropic",
        ANTHROPIC,
        AnthropicLLMProvider,
        anthropic_provider,
        {"type": "error", "error": {"type": "billing_error", "message": TEXT}},
        "AnthropicError",
    ),
    "openai": Service(
        "openai",
        OPENAI,
        OpenAILLMProvider,
        openai_provider,
        {"error": {"message": TEXT, "code": "insufficient_quota"}},
        "OpenAIError",
    ),
}


@pytest.fixture(params=list(SERVICES))
def service(request: pytest.FixtureRequest) -> Service:
    return SERVICES[request.param]


def test_a_service_on_this_machine_needs_no_key(service: Service, server: LLMServer) -> None:
    service.asking(server, key=None).complete(REQUEST)
    assert server.asked[0].headers["Authorization"] == "Bearer none"


def test_no_variable_of_the_sdk_changes_what_is_sent(
    service: Service, server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SDK_VARIABLES[service.sdk].items():
        monkeypatch.setenv(name, value)
    service.asking(server).complete(REQUEST)
    assert "other" not in str(server.asked[0].headers)


def test_an_account_without_credit_is_not_asked_again(service: Service, server: LLMServer) -> None:
    server.replies.append(Reply(status=429, body=json.dumps(service.unpaid).encode()))
    error = failure(service.asking(server)).error
    assert (error.error_type, error.retryable) == ("provider_error", False)
    assert "billing" in error.error_message


def test_a_model_must_be_named_somewhere(service: Service, server: LLMServer) -> None:
    error = failure(service.asking(server, model=None)).error
    assert error.error_type == "misconfigured"
    assert "LLM_MODEL" in error.error_message
    request = LLMRequest((LLMMessage("user", "hello"),), model="m")
    assert service.asking(server, model=None).complete(request).model == "m"


def test_a_missing_sdk_is_told_with_the_package_to_install(
    service: Service, server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, service.sdk, None)
    error = failure(service.asking(server)).error
    assert error.error_type == "misconfigured"
    assert f"`pip install {service.sdk}`" in error.error_message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere/certificates.pem"),
        ("HTTPS_PROXY", f"gopher://{CANARY}@127.0.0.1"),
        ("ALL_PROXY", f"socks5://{CANARY}@127.0.0.1:1"),
        ("HTTP_PROXY", "http://\x01"),
    ],
)
def test_an_environment_that_allows_no_connection_is_named(
    service: Service, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = failure(service.make(model="m", api_key=SecretStr(CANARY))).error
    assert error.error_type == "misconfigured"
    assert variable in error.error_message


def test_a_connection_is_given_back_with_the_provider(service: Service, server: LLMServer) -> None:
    provider = service.asking(server)
    provider.complete(REQUEST)
    http = provider._client.get()._client
    assert not http.is_closed
    del provider
    assert http.is_closed


def test_what_the_sdk_raises_besides_is_told_without_its_words(service: Service) -> None:
    of_the_sdk = getattr(import_module(service.sdk), service.raised)
    for raised in (of_the_sdk(CANARY), RuntimeError(CANARY)):
        error = error_of(raised, service.vendor, timeout_seconds=1)
        assert (error.error_type, error.retryable) == ("provider_error", False)
        assert CANARY not in error.error_message


def test_the_vendor_s_address_is_one(service: Service) -> None:
    assert parse_address(service.vendor.url, variable="X").url == service.vendor.url
