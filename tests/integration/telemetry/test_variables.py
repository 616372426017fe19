"""OpenTelemetry's own variables: one that holds nonsense is harmless, or one line says so."""

import pytest
from opentelemetry.sdk import environment_variables

from remit.errors import MisconfiguredError
from remit.telemetry import metrics
from remit.telemetry.setup import TelemetryOptions, start
from remit.telemetry.state import LossCounter
from remit.telemetry.tracing import span
from tests.support import otlp

losses = otlp.losses

NAMES = sorted(
    value
    for name, value in vars(environment_variables).items()
    if name.startswith("OTEL_") and isinstance(value, str)
)


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_of_opentelemetry_is_harmless_or_told(
    losses: LossCounter,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    del losses
    monkeypatch.setenv(name, "nonsense")
    # Nobody listens there: what is sent is lost, and nothing is said of it.
    options = TelemetryOptions("remit", "0", otlp_endpoint="http://127.0.0.1:1", metrics_port=0)
    try:
        with start(options) as telemetry:
            with span("step"):
                metrics.count_directive("approved")
            telemetry.close(0.01)
    except MisconfiguredError as error:
        told = str(error)
    else:
        told = "OpenTelemetry cannot use its variables: none of them"
    assert told.startswith("OpenTelemetry cannot use its variables: ")
    assert "\n" not in told
    assert otlp.heard(capfd) == ("", "")
