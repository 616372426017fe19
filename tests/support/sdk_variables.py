"""Variables that an SDK would read by itself, each with a value that must change nothing."""

from collections.abc import Mapping

_PROXIES = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}

SDK_VARIABLES: Mapping[str, Mapping[str, str]] = {
    "anthropic": {
        "ANTHROPIC_API_KEY": "other",
        "ANTHROPIC_AUTH_TOKEN": "other",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "ANTHROPIC_PROFILE": "other",
        "ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer other",
        **_PROXIES,
    },
    "openai": {
        "OPENAI_API_KEY": "other",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_ORG_ID": "other",
        "OPENAI_PROJECT_ID": "other",
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer other",
        **_PROXIES,
    },
}
"""By the SDK's name. Whoever asks sends nothing with the word `other` in it."""
