"""Every closed list of words that is stored, signed, counted or shown, once.

Types of arguments, check constraints, metric labels, JSON Schemas and generated documents derive
from it. A word that was stored is never renamed; migrations repeat it as it was then.
"""

from enum import StrEnum
from typing import Literal, get_args


def words_of(vocabulary: object) -> tuple[str, ...]:
    """Return the words of one of the types below, in their order, each once."""
    found = [words_of(each) or (each,) for each in get_args(vocabulary)]
    return tuple(dict.fromkeys(word for group in found for word in group))


# Errors

ErrorType = Literal[
    "invalid_input", "not_found", "conflict", "illegal_transition", "unauthenticated",
    "forbidden", "unverifiable", "unreadable", "rule_violation", "unavailable",
    "policy_unconfirmed", "misconfigured", "provider",
]  # fmt: skip
"""Every value `RemitError.error_type` can take."""


# 1 intent

DirectiveStatus = Literal[
    "draft", "proposed", "approved", "executing", "complete", "blocked", "aborted"
]
"""Every status of a directive."""

BlockReason = Literal[
    "policy", "rejected", "expired", "canceled", "approval_expired", "policy_changed",
    "action_changed", "approval_unverifiable", "budget_exhausted",
]  # fmt: skip
"""Why a directive is blocked. `expired` is the request for approval; the four after `canceled` void
a grant; `budget_exhausted` withholds one from what people approved."""

AbortReason = Literal[
    "module_failed", "module_error", "timed_out", "canceled", "attempts_exhausted",
    "policy_changed", "action_changed", "approval_unverifiable",
]  # fmt: skip
"""Why a directive was aborted; the last three: its consumed grant did not hold any more."""

DoubtReason = Literal["in_doubt"]
"""Why a directive goes on executing although nothing executes it: nobody knows how its last attempt
ended, until a person settles it."""

StatusReason = BlockReason | AbortReason | DoubtReason
"""Why a directive has the status that it has."""

FailureType = AbortReason | DoubtReason
"""Why a run did not succeed: the status reason of its directive."""

# 2 gate


class PolicyVerdict(StrEnum):
    """What one policy, or all of them together, says about a directive."""

    ALLOW = "allow"
    REQUIRE_APPROVAL = "require_approval"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """How restrictive it is, from 0; of several verdicts the most severe wins."""
        return list(PolicyVerdict).index(self)


PolicyName = Literal[
    "budget_ceiling", "budget_limits", "tool_allowlist", "tool_unavailable", "scope_allowlist",
    "timebox_form", "human_approval", "frozen_content",
]  # fmt: skip
"""Every policy; `frozen_content` finds content that was changed behind Remit's back."""

PolicyFault = Literal["policy_unconfirmed", "policy_unreadable"]
"""Why no policy is in force: nobody has confirmed it, or its file is none."""

Period = Literal["hour", "day", "week", "month"]
"""A stretch of the calendar in UTC, by the database's clock; a week begins on Monday."""

EntryKind = Literal["reserve", "settle", "release"]
"""What an entry of the ledger does: it promises an amount, or closes a promise, spent or not."""

# 3 consent

PrincipalKind = Literal["human", "agent", "service"]
"""What a principal is. Only a human can ever consent."""

Role = Literal["proposer", "approver", "operator", "auditor", "admin"]
"""What a principal is trusted with."""

Ability = Literal["propose", "vote", "operate", "audit", "administer"]
"""What an operation asks for. A token may be limited to some of them."""

RequestStatus = Literal[
    "pending", "approved", "rejected", "expired", "canceled", "invalidated", "consumed"
]
"""Pending may become any other. Approved becomes consumed when its grant starts a run, canceled
when the directive is canceled first, or invalidated when anything else voids the grant. `expired`
is nobody's answer; `rejected` is a person's."""

VoteDecision = Literal["approve", "reject"]
"""What a person can answer."""

VoidReason = Literal[
    "approval_expired", "policy_changed", "action_changed", "approval_unverifiable", "canceled"
]
"""Why a grant can no longer start anything."""

# 4 act

ModuleKind = Literal["short", "long"]
"""`short`: ends well within the default timeout. `long`: reports heartbeats while it works."""

ModuleErrorType = Literal[
    "module_failed", "module_error", "module_not_found", "invalid_input", "timed_out"
]
"""Every value `ModuleError.error_type` can take."""

RunStatus = Literal["pending", "running", "completed", "failed", "canceled"]
"""Every status of a run."""

AttemptOutcome = Literal["success", "error"]
"""How an attempt of a run ended; one that has none has not ended, or nobody knows how."""

Settled = Literal["done", "failed"]
"""What a person says of a run that is in doubt."""


class ModuleStatus(StrEnum):
    """How a module ended."""

    SUCCESS = "success"
    """It did what was asked."""
    FAILURE = "failure"
    """It could not do it, and says so: an outcome that its author foresaw."""
    ERROR = "error"
    """It broke, or could not be called: an outcome that nobody foresaw."""


# 5 evidence

ArtifactType = Literal[
    "policy_evaluation", "execution_start", "execution_checkpoint", "execution_end",
    "module_output", "attachment", "llm_call", "llm_usage",
]  # fmt: skip
"""Every type an artifact can have.

- `policy_evaluation`: a decision of the gate with its complete input
- `execution_start`: a grant was consumed and a run created
- `execution_checkpoint`: a module returned, and what it returned
- `execution_end`: how the run ended
- `module_output`: what a module chose to leave as evidence of its work
- `attachment`: what a person or an agent filed by hand
- `llm_call`: a model was asked; never what was said, on either side
- `llm_usage`: what its answer used

`remit.artifacts.schemas` says what the metadata of each one holds.
"""

EventType = Literal[
    "directive.drafted", "directive.proposed", "directive.retried", "directive.blocked",
    "directive.approved", "directive.executing", "directive.in_doubt", "directive.completed",
    "directive.aborted",
    "policy.evaluated", "policy.confirmed",
    "approval.requested", "approval.voted", "approval.resolved",
    "grant.issued", "grant.consumed", "grant.voided",
    "run.attempted", "run.attempt_ended", "run.ended", "run.refused", "run.reconciled",
    "budget.unpromised", "budget.exceeded",
    "artifact.stored",
    "memory.added",
    "llm.called",
    "principal.created", "principal.changed", "principal.disabled",
    "token.created", "token.invited", "token.redeemed", "token.revoked",
    "invitation.revoked",
    "four_eyes.set",
    "change.proposed", "change.confirmed",
]  # fmt: skip
"""Everything the log can say."""

ClaimFault = Literal["untold", "unfounded", "told_otherwise"]
"""What a claim can find; see `remit.audit.verification`."""

IdentityFault = Literal["unverifiable", "untold", "unfounded", "told_otherwise"]
"""What can be wrong.

- `unverifiable`: an event or a row is not what one of the keys signed
- `untold`: a row of which no event tells
- `unfounded`: an event of what there is no row of
- `told_otherwise`: a row that is not as the last event of it tells, or an event told twice
"""

Fault = Literal[
    "edited", "missing", "duplicated", "reordered", "replaced", "truncated", "rewritten",
    "chain_missing", "directive_missing", "status_forged", "artifact_changed",
    "artifact_missing", "row_refused", "unverifiable", "content_changed", "event_unknown",
    "out_of_order", "untold", "unfounded", "told_otherwise",
]  # fmt: skip
"""What can be wrong.

- `edited`: a row's content does not give its hash
- `missing`: rows are missing inside a chain
- `duplicated`: a position is taken twice
- `reordered`: a row is not in its place, and the one that belongs there stands later
- `replaced`: a row does not follow from the one before it, and is sound in itself
- `truncated`: the chain is shorter than at the checkpoint
- `rewritten`: the row of the checkpoint has another hash than then
- `chain_missing`: nothing is left of a chain
- `directive_missing`: there is a chain, and no directive
- `status_forged`: the directive's status is not the one that its log tells
- `artifact_changed`: an artifact's content does not give its digest
- `artifact_missing`: the log speaks of an artifact that is gone
- `row_refused`: a row holds what a check of the database refuses
- `unverifiable`: a row, or an event, does not bear out its signature
- `content_changed`: a directive's content does not give its action digest
- `event_unknown`: the log tells of what no log of that kind can
- `out_of_order`: an event stands where it cannot come
- `untold`: a row of which no event tells
- `unfounded`: an event of what there is no row of
- `told_otherwise`: a row that is not as the log tells
"""

# 6 recall

ReadOutcome = Literal["answered", "refused", "failed"]
"""How a read ended: `refused` is a parameter out of bounds, `failed` anything else."""

TableName = Literal[
    "principals", "api_tokens", "agent_roles", "directives", "approval_requests",
    "approval_votes", "grants", "budget_accounts", "budget_entries", "modules",
    "execution_runs", "execution_attempts", "artifacts", "events", "memories",
    "memory_embeddings", "memory_reads", "installation", "token_invitations", "policies",
    "workers",
]  # fmt: skip
"""Every table of the schema."""

# Providers

FailureKind = Literal[
    "misconfigured", "provider_error", "timeout", "invalid_request", "rate_limited"
]
"""Every way in which a service fails.

- `misconfigured`: a setting, a key or the installation must be changed first
- `provider_error`: it failed, could not be reached, or answered nonsense
- `timeout`: the answer took too long
- `invalid_request`: it does not take what it was asked
- `rate_limited`: too much was asked for in too short a time, or more than was paid for
"""

LLMErrorType = Literal["disabled", "misconfigured", "provider_error", "timeout", "invalid_request"]
"""As :data:`FailureKind`, but that asking too often is a `provider_error` here; `disabled`: no
provider was chosen."""

EmbeddingErrorType = Literal["disabled"] | FailureKind
"""As :data:`FailureKind`; `disabled`: no provider was chosen."""

EvaluationErrorType = FailureKind

ObjectStoreErrorType = Literal[
    "disabled", "misconfigured", "storage_error", "not_found", "size_exceeded", "serialization"
]
"""Every way in which an object store can fail.

- `disabled`: it never does this
- `misconfigured`: the installation must be changed first
- `storage_error`: what lies beneath failed (retryable), or an object is damaged (not)
- `not_found`: it holds no object of this key
- `size_exceeded`: the content is over :data:`MAX_OBJECT_BYTES`
- `serialization`: the key or the media type is malformed, or the key is not the content's
"""
