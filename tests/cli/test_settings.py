"""Every variable of Remit's own: set and empty it is as unset, and a wrong one is one line."""

from pathlib import Path

import pytest

from remit.errors import MisconfiguredError
from remit.settings import Settings, load_settings
from tests.cli.conftest import Remit, Shown

FIELDS = sorted(Settings.model_fields)

ADDRESS = "write host:port, such as 127.0.0.1:7233, with a port from 1 to 65535"
NAMESPACE = "write at most 200 letters, digits and ._-, no sign first"
MODULES = "write each module as package.module:Class, with a comma between two"
LEVEL = "write DEBUG, INFO, WARNING or ERROR"
HOMELESS = "there is no home folder for its ~: write the whole path"

REFUSED = {
    "TEMPORAL_ADDRESS": (
        ADDRESS,
        *(
            "a b",
            "host:1\n",
            "host",
            "host:99999",
            "host:0",
            "http://host:7233",
            "::1:7233",
            "h:1,h:2",
        ),
    ),
    "TEMPORAL_NAMESPACE": (NAMESPACE, "two words", "-default", "a/b", "a?b", "ä", "n" * 201),
    "REMIT_MODULES": (MODULES, "nonsense", "a.b:C d.e:F", "a.b:C, nonsense", "../a:B"),
    "REMIT_LOG_LEVEL": (LEVEL, "nonsense", "10", "INFO,DEBUG"),
    "REMIT_METRICS_PORT": (
        "write a whole number from 0 to 65535",
        *("-1", "65536", "1.5", "a", "1e3", "9" * 40, "nan"),
    ),
    "PROVIDER_TIMEOUT_SECONDS": (
        "write a number from 0.1 to 3600",
        *("0", "-1", "3601", "1e400", "nan", "inf", "-inf", "a"),
    ),
    "REMIT_SWEEP_SECONDS": (
        "write a number from 0.1 to 86400",
        *("0", "-1", "86401", "nan", "inf", "a"),
    ),
    "REMIT_MODULE_WAIT_SECONDS": (
        "write a number from 0 to 86400",
        *("-1", "86401", "nan", "inf", "a"),
    ),
    "REMIT_MAX_DIRECTIVE_BYTES": (
        "write a whole number from 1024 to 16777216",
        *("0", "-1", "1023", "16777217", "1.5", "inf", "a"),
    ),
    "REMIT_DATA_DIR": (HOMELESS, "~nobody-has-this-name/data"),
    "REMIT_POLICY_FILE": (HOMELESS, "~nobody-has-this-name/policy.toml"),
    "REMIT_KEYS_DIR": (HOMELESS, "~nobody-has-this-name/keys"),
    "OBJECT_STORE_DIR": (HOMELESS, "~nobody-has-this-name/objects"),
}
"""What each variable of a fixed form refuses, after what it is told to hold."""


@pytest.mark.parametrize("blank", ["", " ", "\t \n"])
@pytest.mark.parametrize("name", FIELDS)
def test_a_blank_variable_is_as_unset(
    monkeypatch: pytest.MonkeyPatch, name: str, blank: str
) -> None:
    monkeypatch.delenv(name.upper(), raising=False)
    unset = load_settings()
    monkeypatch.setenv(name.upper(), blank)
    assert load_settings() == unset


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [(name, value, needed) for name, (needed, *values) in REFUSED.items() for value in values],
)
def test_a_value_of_another_form_is_refused_with_the_variable_and_what_it_may_hold(
    remit: Remit, monkeypatch: pytest.MonkeyPatch, name: str, value: str, needed: str
) -> None:
    monkeypatch.setenv(name, value)
    assert remit("modules") == Shown(2, "", f"remit: {name} is not usable: {needed}\n")


@pytest.mark.parametrize("name", FIELDS)
def test_bytes_that_are_no_text_are_refused_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name.upper(), "a\udcff")
    with pytest.raises(MisconfiguredError, match=f"^{name.upper()} is not usable: "):
        load_settings()


def test_every_number_has_a_lower_and_an_upper_bound() -> None:
    assert set(REFUSED) >= {
        name.upper()
        for name, field in Settings.model_fields.items()
        if field.annotation in (int, float, int | None, float | None)
    }


def test_all_wrong_variables_are_named_at_once_and_none_is_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REMIT_LOG_LEVEL", "hunter2")
    monkeypatch.setenv("REMIT_METRICS_PORT", "hunter2")
    with pytest.raises(MisconfiguredError) as refusal:
        load_settings()
    assert str(refusal.value) == (
        "REMIT_METRICS_PORT is not usable: write a whole number from 0 to 65535; "
        f"REMIT_LOG_LEVEL is not usable: {LEVEL}"
    )
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("TEMPORAL_ADDRESS", "127.0.0.1:7233", "127.0.0.1:7233"),
        ("TEMPORAL_ADDRESS", "[::1]:7233", "[::1]:7233"),
        ("TEMPORAL_ADDRESS", "my_temporal.internal:65535", "my_temporal.internal:65535"),
        ("TEMPORAL_NAMESPACE", "prod.a1b2-c_3", "prod.a1b2-c_3"),
        ("REMIT_MODULES", "a.b:C, d:E,", "a.b:C, d:E,"),
        ("REMIT_LOG_LEVEL", "debug", "debug"),
        ("REMIT_METRICS_PORT", " 9464 ", 9464),
    ],
)
def test_a_usable_value_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, kept: object
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(load_settings(), name.lower()) == kept


def test_a_path_keeps_its_spaces_and_loses_its_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REMIT_DATA_DIR", "~/my data ")
    assert load_settings().remit_data_dir == tmp_path / "my data "


def test_a_user_without_a_home_is_told_which_variable_to_set(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REMIT_DATA_DIR")
    monkeypatch.setattr("remit.settings.platformdirs.user_data_dir", lambda *_, **__: "~/x")
    monkeypatch.setattr("pathlib.Path.expanduser", _homeless)
    assert remit("modules") == Shown(2, "", f"remit: REMIT_DATA_DIR is not usable: {HOMELESS}\n")


def _homeless(_path: object) -> None:
    raise RuntimeError("Could not determine home directory.")
