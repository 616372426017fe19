"""The schema of every type of artifact: who makes it, when, and what its metadata holds. No I/O.

`docs/artifacts.md` and the command line print what is here; whoever files an artifact that did not
come from Remit's own code checks it first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from remit.artifacts.metadata import (
    Attachment,
    ExecutionCheckpoint,
    ExecutionEnd,
    ExecutionStart,
    LLMCall,
    LLMUsage,
    ModuleOutputMetadata,
    PolicyEvaluation,
)
from remit.artifacts.values import FORMS
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.base.wording import listed, printable
from remit.errors import InvalidInputError
from remit.vocabulary import ArtifactType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KEPT = "for good: no service may change or remove it"


@dataclass(frozen=True, slots=True)
class ArtifactSchema:
    """One type of artifact: what its metadata holds and is evidence of, who makes it and when."""

    model: type[BaseModel]
    says: str
    maker: str
    moment: str

    @property
    def description(self) -> str:
        """All of it in a few sentences."""
        return f"{self.says} Made by {self.maker}, {self.moment}. Kept {KEPT}."


_WITH_THE_END = "in the transaction that ends the run"

ARTIFACT_SCHEMAS: Mapping[ArtifactType, ArtifactSchema] = {
    "policy_evaluation": ArtifactSchema(
        PolicyEvaluation,
        "A decision of the gate with its complete input, so that anybody can make it again.",
        "the gate",
        "whenever a directive comes before it, in the transaction that records the decision",
    ),
    "execution_start": ArtifactSchema(
        ExecutionStart,
        "A grant was verified and consumed, and a run created.",
        "the worker",
        "in the transaction that consumes the grant",
    ),
    "execution_checkpoint": ArtifactSchema(
        ExecutionCheckpoint,
        "A module returned, and what it returned.",
        "the worker",
        f"when an attempt counts, {_WITH_THE_END}",
    ),
    "execution_end": ArtifactSchema(
        ExecutionEnd,
        "How a run ended; a run that was canceled leaves none.",
        "the worker",
        _WITH_THE_END,
    ),
    "module_output": ArtifactSchema(
        ModuleOutputMetadata,
        "What a module chose to leave as evidence of its work.",
        "the module",
        f"when the attempt that emitted it counts, {_WITH_THE_END}",
    ),
    "attachment": ArtifactSchema(
        Attachment,
        "A file that somebody filed by hand.",
        "a person or an agent",
        "when it is filed, after its bytes are stored",
    ),
    "llm_call": ArtifactSchema(
        LLMCall,
        "A language model was called, whether it answered or not; no message is kept.",
        "the worker that thinks",
        "after each call, in the transaction that logs it",
    ),
    "llm_usage": ArtifactSchema(
        LLMUsage,
        "What a call of a language model used and may cost.",
        "the worker that thinks",
        "beside each `llm_call` that was answered, or used something up all the same",
    ),
}


def artifact_json_schema(artifact_type: ArtifactType) -> JsonObject:
    """Return the JSON Schema (2020-12) of the metadata of one type of artifact.

    It says a little less than :func:`check_metadata`, which also compares fields with one another.
    """
    schema = ARTIFACT_SCHEMAS[artifact_type]
    # As it is stored, not as it may be typed in: amounts are text, times have one form.
    exported: JsonObject = schema.model.model_json_schema(mode="serialization")
    return {
        "$schema": DIALECT,
        **exported,
        "title": artifact_type,
        "description": schema.description,
    }


def check_metadata(artifact_type: ArtifactType, metadata: JsonObject) -> None:
    """Return quietly when the metadata is what this type of artifact holds.

    Raises:
        InvalidInputError: it is not; `field` is the dotted path of the first problem.
    """
    model = ARTIFACT_SCHEMAS[artifact_type].model
    try:
        # The canonical bytes, since those are what the artifact's digest is of.
        model.model_validate_json(canonical_json(metadata), strict=True)
    except ValidationError as error:
        raise _first_problem(error.errors(include_url=False)[0], model) from error


def _first_problem(error: ErrorDetails, model: type[BaseModel]) -> InvalidInputError:
    context = error.get("ctx", {})
    own = [str(context["path"])] if "path" in context else []
    # Pydantic writes "[key]" behind a key that is itself at fault.
    parts = [printable(str(part), 40) for part in error["loc"] if part != "[key]"] + own
    known = f"; known fields are {listed(model.model_fields, 'and')}" if len(parts) == 1 else ""
    form = FORMS.get(str(context.get("pattern")), "of the form that its schema gives")
    wordings = {
        "string_pattern_mismatch": f"must be {form}",
        "missing": "missing: fill it",
        "extra_forbidden": f"unknown field{known}",
        "string_type": "must be text",
        "dict_type": "must be a JSON object",
        "model_type": "must be a JSON object",
    }
    problem = wordings.get(error["type"], printable(error["msg"], 300))
    return InvalidInputError(problem, field=".".join(parts) or "metadata")
