"""What the metadata of each type of artifact holds, field by field. No I/O.

`remit.artifacts.schemas` says who makes which, checks them and exports them as JSON Schema. The
models are built at their first use, so importing them costs little. All bounds are such that JSON
Schema can say them too, unless a validator says otherwise.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.artifacts.values import (
    ArtifactUri,
    Cents,
    ContentUri,
    Count,
    Digest,
    Dollars,
    FileName,
    Id,
    LabelName,
    LabelText,
    MediaType,
)
from remit.base.json_types import MAX_NUMBER
from remit.directives.models import INTENT_FIELDS, Intent
from remit.policy.config import PolicyConfig
from remit.vocabulary import AbortReason, LLMErrorType, ModuleErrorType, ModuleStatus, PolicyVerdict

MAX_LABELS = 20


def _may_be_left_out(field: JsonDict) -> None:
    """Take the default out of an exported field: what was left out was never written."""
    field.pop("default")


class _Metadata(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ContentReference(_Metadata):
    """Bytes that an artifact has besides its metadata, which names them by their digest."""

    digest: Digest = Field(description="SHA-256 over the bytes; checked whenever they are read.")
    size_bytes: int = Field(ge=0, le=MAX_ARTIFACT_BYTES, description="How many bytes there are.")
    media_type: MediaType = Field(description="What they are, as whoever filed them says.")
    uri: ContentUri = Field(description="Where they lie: in the artifact's own row, or a store.")

    @model_validator(mode="after")
    def _lie_under_their_digest(self) -> Self:
        # JSON Schema cannot compare two fields.
        store, _, key = self.uri.rpartition("/sha256/")
        if store and f"sha256:{key}" != self.digest:
            raise _unfit("uri", "names another digest than the content's: use the same one")
        return self


class PolicyFinding(_Metadata):
    """What one policy found."""

    policy: str = Field(description="Name of the policy.")
    verdict: PolicyVerdict = Field(description="What it says.")
    reason: str = Field(description="Why, in one line for a person.")


class WholeIntent(Intent):
    """All ten fields of a directive's intent; its digest is over every one of them."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True, defer_build=True)

    @model_validator(mode="after")
    def _be_whole(self) -> Self:
        missing = [name for name in INTENT_FIELDS if name not in self.model_fields_set]
        if missing:
            raise _unfit(missing[0], "missing: fill it")
        return self


class PolicyEvaluation(_Metadata):
    """A decision of the gate."""

    intent: WholeIntent = Field(description="The directive's content, as the gate saw it.")
    action_digest: Digest = Field(description="SHA-256 over the intent's canonical JSON.")
    committed: dict[str, str] = Field(
        default={},
        description="What was promised and spent under each limit so far, in US dollars; left out "
        "before there were limits.",
        json_schema_extra=_may_be_left_out,
    )
    announced: tuple[str, ...] = Field(
        default=(),
        description="The tools that workers had announced; left out before the gate asked for it.",
        json_schema_extra=_may_be_left_out,
    )
    policy: PolicyConfig = Field(
        description="The whole policy that decided; what an older one leaves out has its default."
    )
    policy_digest: Digest = Field(description="SHA-256 over the policy's canonical JSON.")
    verdict: PolicyVerdict = Field(description="The most severe of all verdicts.")
    results: tuple[PolicyFinding, ...] = Field(description="What each policy found, in order.")


class ExecutionStart(_Metadata):
    """What a run stands on."""

    run: Id = Field(description="The run.")
    grant: Id = Field(description="The grant that it consumed.")
    action_digest: Digest = Field(description="What the grant allows: digest of the intent.")
    policy_digest: Digest = Field(description="Digest of the policy that allowed it.")
    approved_by: tuple[str, ...] = Field(
        description="Who approved it; empty when the policy alone did."
    )
    module: str = Field(description="Name of the module that acts.")
    module_version: str = Field(description="Its version; empty when it is unknown.")
    module_digest: str = Field(
        default="",
        description="Digest of its description; empty when it is unknown, left out before grants "
        "named it.",
        json_schema_extra=_may_be_left_out,
    )
    idempotency_key: str = Field(description="What the module must treat as one and the same act.")


class ReturnedError(_Metadata):
    """Why a module did not succeed."""

    error_type: ModuleErrorType = Field(description="Which kind of error it is.")
    message: str = Field(description="What happened, in one line for a person.")
    retryable: bool = Field(description="Whether the same call may succeed later.")


class Returned(_Metadata):
    """What a module returned."""

    status: ModuleStatus = Field(description="How it ended.")
    result: dict[str, JsonValue] | None = Field(
        description="What it reports; null when it has nothing to report."
    )
    cost: Cents | None = Field(
        description="What it spent, in US dollars; null when it does not say."
    )
    error: ReturnedError | None = Field(
        description="Why it did not succeed; null exactly when it did."
    )


class ExecutionCheckpoint(_Metadata):
    """What a module returned, before anything is made of it."""

    run: Id = Field(description="The run.")
    attempt: Count = Field(description="Which attempt it was; 1 is the first, 0: none began.")
    output: Returned = Field(description="What the module returned.")


class ExecutionEnd(_Metadata):
    """How a run ended."""

    run: Id = Field(description="The run.")
    status: Literal["completed", "failed"] = Field(description="How it ended.")
    attempts: Count = Field(description="How many attempts began.")
    reason: AbortReason | None = Field(
        description="Why the directive was aborted; null when it is complete."
    )
    error: str | None = Field(description="What failed, for a person; null when nothing did.")
    artifacts: tuple[ArtifactUri, ...] = Field(description="What the module left as evidence.")


class ModuleOutputMetadata(_Metadata):
    """What a module chose to leave; every other field is the module's own."""

    model_config = ConfigDict(extra="allow")

    # Not `| None`: to write null is no way of writing nothing.
    content_ref: ContentReference = Field(  # type: ignore[assignment]
        default=None,
        description="Bytes that it left besides; left out: none. Remit alone writes it.",
        json_schema_extra=_may_be_left_out,
    )


class Attachment(_Metadata):
    """A file, filed by hand."""

    name: FileName = Field(
        description="What it is called: a file's name, without its folder.",
        json_schema_extra={"not": {"enum": [".", ".."]}},
    )
    labels: dict[LabelName, LabelText] = Field(
        max_length=MAX_LABELS,
        description="What it is to be found by: names with values.",
        json_schema_extra={"additionalProperties": False},
    )
    filed_by: str = Field(min_length=1, max_length=200, description="Who filed it.")
    content_ref: ContentReference = Field(description="The bytes of the file.")

    @model_validator(mode="after")
    def _be_no_folder(self) -> Self:
        if self.name in {".", ".."}:
            raise _unfit("name", "names a folder: give the name of a file")
        return self


def _tie_error_to_status(schema: JsonDict) -> None:
    """Say in JSON Schema that a kind of error is given exactly when the call failed."""
    schema["if"] = {"properties": {"status": {"const": "success"}}}
    schema["then"] = {"properties": {"error_type": {"type": "null"}}}
    schema["else"] = {"properties": {"error_type": {"type": "string"}}}


class LLMCall(_Metadata):
    """One call of a language model, without a word of what was said."""

    model_config = ConfigDict(json_schema_extra=_tie_error_to_status)

    provider: str = Field(min_length=1, max_length=100, description="Name of the provider.")
    model: str = Field(min_length=1, max_length=200, description="Name of the model.")
    max_tokens: Count | None = Field(
        description="Most tokens that it may answer with; null: the provider's own limit."
    )
    temperature: float | None = Field(
        ge=0, le=2, description="How freely it chooses; null: the provider's own value."
    )
    status: Literal["success", "error"] = Field(description="How the call ended.")
    error_type: LLMErrorType | None = Field(
        description="Which kind of error it was; null exactly when there was none."
    )
    message_count: Count = Field(description="How many messages were sent.")
    roles: tuple[Annotated[str, StringConstraints(min_length=1, max_length=40)], ...] = Field(
        max_length=20,
        description="The roles that their writers have, each once.",
        json_schema_extra={"uniqueItems": True},
    )
    characters: Count = Field(description="How many characters they have together.")

    @model_validator(mode="after")
    def _agree_with_itself(self) -> Self:
        if (self.status == "success") != (self.error_type is None):
            raise _unfit("error_type", "must be given exactly when status is error")
        if len(set(self.roles)) < len(self.roles):
            raise _unfit("roles", "must name each role once")
        return self


class LLMUsage(_Metadata):
    """What one call of a language model used."""

    input_tokens: Count | None = Field(description="Tokens sent; null when it was not told.")
    output_tokens: Count | None = Field(description="Tokens received; null when it was not told.")
    total_tokens: Count | None = Field(description="Tokens charged; null when it was not told.")
    estimated_cost_usd: Dollars | None = Field(
        description="What it costs at most by the price list, in US dollars; null: nobody knows."
    )
    latency_ms: float = Field(ge=0, le=MAX_NUMBER, description="How long it took, in milliseconds.")


def _unfit(path: str, problem: str) -> PydanticCustomError:
    """Return the error that carries our own words, and the field's name, through pydantic."""
    return PydanticCustomError("unfit", "{problem}", {"problem": problem, "path": path})
