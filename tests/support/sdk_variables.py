"""Variables that an SDK would read by itself, each with a value that must change nothing."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

PROXIES: Mapping[str, str] = {
    name: "http://127.0.0.1:9"
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
} | {"NO_PROXY": "elsewhere", "no_proxy": "elsewhere"}
"""Proxies that nothing on this machine may be asked through."""


def _named_in(sdk: str) -> Mapping[str, str]:
    """Return every variable of the vendor's that the installed SDK names, a new release's too."""
    spec = find_spec(sdk)
    assert spec is not None
    assert spec.origin is not None
    pattern = re.compile(rf"[\"']({sdk.upper()}_[A-Z0-9_]+)[\"']")
    files = Path(spec.origin).parent.rglob("*.py")
    return {name: "other" for each in files for name in pattern.findall(each.read_text("utf-8"))}


SDK_VARIABLES: Mapping[str, Mapping[str, str]] = {
    "anthropic": {
        **_named_in("anthropic"),
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer other",
        "ANTHROPIC_LOG": "debug",
        **PROXIES,
    },
    "openai": {
        **_named_in("openai"),
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer other",
        "OPENAI_LOG": "debug",
        **PROXIES,
    },
}
"""By the SDK's name. Whoever asks sends nothing with the word `other` in it."""
