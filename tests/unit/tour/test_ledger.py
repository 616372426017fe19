"""The ledger refuses what it cannot hold for, before it touches its tables."""

from typing import Any

import pytest

from remit.execution.modules.registry import ModuleRegistry
from remit.tour.ledger import LedgerModule
from tests.support.modules import Recorder, asking


@pytest.mark.parametrize("hold", [-1, 301, "5", True, None, float("nan")])
def test_a_hold_that_is_no_number_within_bounds_is_refused(hold: Any) -> None:
    recorder, engine = Recorder(), None
    given: Any = engine
    output = LedgerModule().execute(asking("ledger", {"hold_seconds": hold}), given, recorder)
    assert output.error is not None
    assert output.error.error_type == "invalid_input"
    assert output.error.message == "payload.hold_seconds: must be a number from 0 to 300"
    assert recorder.emitted == []


def test_a_worker_can_register_it_as_a_long_module() -> None:
    registry = ModuleRegistry()
    registry.register_module(LedgerModule())
    (info,) = registry.list_modules()
    assert (info.name, info.kind) == ("ledger", "long")
