"""Every environment variable that Remit reads, on one page.

Doors build one :class:`Settings` and pass values down; nothing below a door reads the environment.
`.env.example` is written from this class.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from remit.errors import MisconfiguredError

EXECUTION_QUEUE = "execution-queue"
APPROVAL_QUEUE = "approval-queue"
LLM_QUEUE = "llm-queue"
"""Task queue of `call_llm`, and of the workflows that the process which thinks serves."""


def default_data_dir() -> Path:
    """Return the platform's folder for this user's Remit data."""
    return Path(platformdirs.user_data_dir("remit", appauthor=False))


def _matching(pattern: str, words: str) -> AfterValidator:

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(words)
        return text

    return AfterValidator(check)


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError("there is no home folder for its ~: write the whole path") from error


_Path = Annotated[Path, AfterValidator(_at_home)]
_PORT = r"0*([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_ADDRESS = _matching(
    rf"([\w.-]+|\[[0-9A-Fa-f:.]+\]):{_PORT}",
    "write host:port, such as 127.0.0.1:7233, with a port from 1 to 65535",
)
_NAMESPACE = _matching(
    r"[A-Za-z0-9][\w.-]{0,199}", "write at most 200 letters, digits and ._-, no sign first"
)
_REFERENCE = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"
_MODULES = _matching(
    rf"\s*({_REFERENCE}\s*)?(,\s*({_REFERENCE}\s*)?)*",
    "write each module as package.module:Class, with a comma between two",
)
_LEVEL = _matching("(?i)debug|info|warning|error|critical", "write DEBUG, INFO, WARNING or ERROR")


class Settings(BaseSettings):
    """What can be set from outside. Field `x_y` is read from variable `X_Y`.

    A variable that is empty or blank is as one that is not set.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: str | None = Field(
        default=None,
        description="Postgres to use, as postgresql://user:password@host:port/name. "
        "Unset: the embedded stack's.",
    )
    database_module_url: str | None = Field(
        default=None,
        description="Postgres as modules see it, for a login of role remit_module. Unset: "
        "DATABASE_URL, with that role.",
    )
    database_owner_url: str | None = Field(
        default=None,
        description="Postgres for migrations, as the owner of the tables. Unset: DATABASE_URL.",
    )
    database_reader_url: str | None = Field(
        default=None,
        description="Postgres as readers of memory see it, for a login of role remit_reader. "
        "Unset: DATABASE_URL, with that role, which its login could leave.",
    )
    temporal_address: Annotated[str, _ADDRESS] | None = Field(
        default=None,
        description="Temporal front end to use, as host:port. Unset: the embedded stack's.",
    )
    temporal_namespace: Annotated[str, _NAMESPACE] = Field(
        default="default", description="Temporal namespace of all workflows."
    )
    remit_data_dir: _Path = Field(
        default_factory=default_data_dir,
        validate_default=True,
        description="Folder of the embedded stack. Unset: the platform's user data folder.",
    )
    remit_policy_file: _Path | None = Field(
        default=None,
        description="Policy file (TOML). Unset: the running stack's, else the built-in one.",
    )
    remit_token: SecretStr | None = Field(
        default=None,
        description="Token that says who you are, as `remit token create` prints it. Unset: that "
        "of whoever started the embedded stack.",
    )
    remit_keys_dir: _Path | None = Field(
        default=None,
        description="Folder of the keys that sign grants. Unset: `keys` in the data folder.",
    )
    remit_signing_key: SecretStr | None = Field(
        default=None,
        description="The signing key itself, as PEM text, in place of signing.pem in that folder.",
    )
    remit_worker_key_dir: _Path | None = Field(
        default=None,
        description="Folder of a key for workers, as `remit keys worker` writes it, for a host "
        "without the signing key. Unset: the signing key certifies each worker.",
    )
    remit_modules: Annotated[str, _MODULES] = Field(
        default="",
        description="More modules for the worker, as package.module:Class, comma-separated.",
    )
    object_store_provider: str | None = Field(
        default=None,
        description="Where artifacts over 64 KB go: noop, filesystem or r2 (any S3). Unset: "
        "filesystem on the embedded stack, else noop, which keeps nothing and so refuses them.",
    )
    object_store_dir: _Path | None = Field(
        default=None,
        description="Folder of the filesystem store. Unset: `objects` in the data folder.",
    )
    object_store_endpoint: str | None = Field(
        default=None, description="Address of the S3 service, as https://host."
    )
    object_store_bucket: str | None = Field(default=None, description="Its bucket.")
    object_store_region: str = Field(
        default="auto", description="Its region; R2 calls the only one it has auto."
    )
    object_store_access_key_id: SecretStr | None = Field(
        default=None, description="Name of the key that may read and write the bucket."
    )
    object_store_secret_access_key: SecretStr | None = Field(
        default=None, description="The key itself."
    )
    embedding_provider: str | None = Field(
        default=None,
        description="What turns text into vectors: noop, local or openai. Unset: local on the "
        "embedded stack, else noop, which refuses.",
    )
    embedding_model: str = Field(
        default="text-embedding-3-small", description="Model that openai embeds with."
    )
    openai_api_key: SecretStr | None = Field(default=None, description="Key of OpenAI's service.")
    openai_base_url: str | None = Field(
        default=None, description="Address of a compatible service. Unset: the vendor's own."
    )
    llm_provider: str | None = Field(
        default=None,
        description="What answers calls of a language model: noop, anthropic or openai. Unset: "
        "noop, which refuses.",
    )
    llm_model: str | None = Field(
        default=None, description="Model that is asked when a call names none."
    )
    anthropic_api_key: SecretStr | None = Field(
        default=None, description="Key of Anthropic's service."
    )
    anthropic_base_url: str | None = Field(
        default=None, description="Address of a compatible service. Unset: the vendor's own."
    )
    evaluation_provider: str | None = Field(
        default=None,
        description="Who is told of ended runs: noop or braintrust. Unset: noop, nobody.",
    )
    braintrust_api_key: SecretStr | None = Field(
        default=None, description="Key of Braintrust's service."
    )
    braintrust_api_url: str | None = Field(
        default=None, description="Address of that service. Unset: the vendor's own."
    )
    braintrust_project: str = Field(default="remit", description="Project that runs are told to.")
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        description="Collector of traces and metrics, as http://host:4318. Unset: none.",
    )
    remit_metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of the worker's /metrics on 127.0.0.1; 0 takes a free one. Unset: none.",
    )
    remit_log_level: Annotated[str, _LEVEL] = Field(
        default="INFO", description="Least level that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    provider_timeout_seconds: float = Field(
        default=30.0,
        ge=0.1,
        le=3600,
        description="Longest wait for one answer of an object store or a model.",
    )
    remit_sweep_seconds: float = Field(
        default=30.0,
        ge=0.1,
        le=86400,
        description="How often the dispatcher looks for directives that a crash left behind.",
    )
    remit_module_wait_seconds: float = Field(
        default=60.0,
        ge=0,
        le=86400,
        description="How long what was granted for a version of a module waits for a worker that "
        "has it, after the last one was gone; then it is blocked as action_changed.",
    )
    remit_max_directive_bytes: int = Field(
        default=65536,
        ge=1024,
        le=16777216,
        description="Largest directive accepted, in bytes of its canonical JSON.",
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blank(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in given.items()
            if not isinstance(value, str) or value.strip()
        }

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bytes(cls, value: object) -> object:
        """Refuse what is no UTF-8: it could be neither printed nor stored."""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise ValueError("write it in UTF-8") from error
        return value


def load_settings() -> Settings:
    """Read the environment once.

    Raises:
        MisconfiguredError: variables do not hold what their fields need; the message names each.
    """
    threads = os.environ.get("TOKIO_WORKER_THREADS", "1")
    if not re.fullmatch(r"0*[1-9]\d{0,3}", threads, re.ASCII):
        # The libraries made in Rust panic over it, on standard error and past every handler.
        raise MisconfiguredError(
            "TOKIO_WORKER_THREADS is not usable: write a whole number from 1 to 9999, or unset it"
        )
    try:
        return Settings()
    except ValidationError as error:
        faults = {str(each["loc"][0]): each for each in error.errors()}
    # Outside the handler: the error quotes what the variables hold.
    told = (f"{name.upper()} is not usable: {_needed(name, each)}" for name, each in faults.items())
    raise MisconfiguredError("; ".join(told))


def _needed(name: str, fault: Any) -> str:  # noqa: ANN401 - pydantic_core's own, not loaded here
    """Return what a variable may hold, never what it holds."""
    field = Settings.model_fields[name]
    limits = [
        f"{limit:g}" if limit < 1 else str(limit)
        for each in field.metadata
        for limit in (getattr(each, "ge", None), getattr(each, "le", None))
        if limit is not None
    ]
    if limits:
        kind = "number" if field.annotation is float else "whole number"
        return f"write a {kind} from {' to '.join(limits)}"
    return str(fault.get("ctx", {}).get("error", fault["msg"]))


def forget_variables(*names: str) -> None:
    """Take variables out of this process's environment, which libraries below would read."""
    for name in names:
        os.environ.pop(name, None)
