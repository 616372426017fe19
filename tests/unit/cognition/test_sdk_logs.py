"""An SDK may neither set up the logging of the process nor write requests into it."""

import logging

import pytest

from remit.cognition.sdk import sdk_logs_shut


def test_an_sdk_is_shut_up_to_warnings(caplog: pytest.LogCaptureFixture) -> None:
    sdk = logging.getLogger("an-sdk")
    sdk.setLevel(logging.DEBUG)
    with sdk_logs_shut("an-sdk"):
        sdk.setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("an-sdk.base").debug("Request options: secret")
        logging.getLogger("an-sdk.base").warning("deprecated")
    assert [record.message for record in caplog.records] == ["deprecated"]


def test_an_sdk_cannot_set_up_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    with sdk_logs_shut("an-sdk"):
        logging.basicConfig(level=logging.DEBUG)
    assert root.handlers == []
