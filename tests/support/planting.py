"""Secrets that are planted, modules that spill them, and what finds them again.

The modules do as the payload says. Each canary is of its own, so that what is found says whence it
came; they reach the modules through the environment of their worker.
"""

import base64
import contextlib
import json
import logging
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from remit.errors import UnavailableError
from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.vocabulary import ModuleKind

PLANTED = ("DATABASE_URL", "OPENAI_API_KEY", "REMIT_TOKEN", "REMIT_SIGNING_KEY")
"""Variables of the worker whose values the modules spill."""

FORMS = (
    "Authorization: Bearer {}",
    "Authorization: Token {}",
    "tool --password {} --host db",
    "curl -u ops:{} https://example.org",
    "Set-Cookie: sid={}; Path=/",
    'say {{\\"secret\\": \\"{}\\"}}',
    "machine example.org login ops password {}",
    "//registry.example.org/:_authToken={}",
    "postgresql://ops:a@b/{}@db/x",
)
"""How a module tells a secret, in lines of text."""

_NEEDLE_LENGTH = 12
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}")


@dataclass(frozen=True)
class Canaries:
    """Secrets by the place that they are planted in.

    Attributes:
        values: each with its secret, in full.
        needles: a part of each that nothing else holds: a secret that was cut is one all the same.
    """

    values: Mapping[str, str]
    needles: Mapping[str, bytes]

    def in_bytes(self, data: bytes) -> set[str]:
        """Return the canaries in data, in base64 of it, and in base64 of that."""
        found, looked_at = set[str](), [data]
        for _ in range(3):
            for each in looked_at:
                found |= {name for name, needle in self.needles.items() if needle in each}
            looked_at = [text for each in looked_at for text in _decoded(each)]
        return found

    def in_texts(self, texts: Iterable[str]) -> set[str]:
        """Return the canaries in texts."""
        return self.in_bytes("\n".join(texts).encode())


def make_canaries(names: Iterable[str], **given: str) -> Canaries:
    """Return a new secret for each name, and those that are given in full."""
    made = {name: secrets.token_hex(20) for name in names}
    # From the middle: the form of a key or a token begins like that of every other.
    needles = {name: value[16 : 16 + _NEEDLE_LENGTH] for name, value in made.items()}
    needles |= {name: value[-_NEEDLE_LENGTH - 4 : -4] for name, value in given.items()}
    return Canaries(made | given, {name: value.encode() for name, value in needles.items()})


def _decoded(data: bytes) -> list[bytes]:
    found = []
    for text in _BASE64.findall(data):
        plain = text.translate(bytes.maketrans(b"-_", b"+/"))
        # Where it begins is not known when it stands among other letters.
        for start in range(4):
            part = plain[start:]
            with contextlib.suppress(ValueError):
                found.append(base64.b64decode(part[: len(part) // 4 * 4]))
    return found


class Telling(BaseExecutionModule):
    """A short module that spills what it knows, and ends as its payload says under `act`."""

    name = "validate"

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Spill, then end."""
        known = json.loads(os.environ.get("CANARIES", "{}"))
        about = {name: os.environ[name] for name in PLANTED if name in os.environ}
        emit_artifact(
            "module_output",
            {
                "mark": "left-by-the-module",
                "password": known.get("artifact_named"),
                f"sk-{known.get('artifact_name')}": 1,
                "lines": [form.format(known.get("artifact_text")) for form in FORMS],
                "environment": dict(about),
                "dump": "\n".join(f"{name}={value}" for name, value in about.items()),
            },
        )
        logging.getLogger("tests.telling").warning("logged in with sk-%s", known.get("log"))
        act = module_input.payload.get("act")
        if act == "raise":
            raise RuntimeError(f"no answer of postgresql://app:{known.get('raised')}@db/x")
        if act == "again" and module_input.attempt == 1:
            raise UnavailableError(f"password={known.get('retried')} was refused")
        if act == "fail":
            return ModuleOutput.failure(f"Authorization: Bearer {known.get('failed')}")
        return ModuleOutput.success(
            {
                "mark": "returned-by-the-module",
                "api_key": known.get("result_named"),
                "seen": f"https://bot:{known.get('result_text')}@example.org",
                "environment": dict(about),
            }
        )


class LongTelling(Telling):
    """The same as a long module."""

    name = "test"
    kind: ClassVar[ModuleKind] = "long"
    default_timeout: ClassVar[timedelta] = timedelta(seconds=30)
