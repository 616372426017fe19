"""The schema's second page: intent, consent and money, boxes 1 to 3 of the loop.

See `remit.db.identity_tables`, the first page, for what holds for all of them.
"""

import sqlalchemy as sa

from remit.db import identity_tables
from remit.db.columns import (
    check,
    id_,
    json,
    json_is,
    key,
    metadata,
    money,
    one_of,
    ref,
    stamped,
    text,
    time,
    unique_if,
)
from remit.vocabulary import (
    DirectiveStatus,
    EntryKind,
    RequestStatus,
    StatusReason,
    VoidReason,
    VoteDecision,
)

_KNOWN = (identity_tables.principals, identity_tables.api_tokens)
"""What this page refers to: it must be part of the schema first."""

# 1 intent. The ten content columns are frozen once the directive leaves `draft`.
directives = sa.Table(
    "directives",
    metadata,
    id_(),
    text("role"),
    text("type"),
    json("payload"),
    text("issued_by"),
    text("objective"),
    text("scope"),
    json("constraints", nullable=True),
    json("success_metrics", nullable=True),
    text("budget", nullable=True),
    text("timebox", nullable=True),
    text("status", default="draft"),
    text("status_reason", nullable=True),
    text("action_digest", nullable=True),
    text("idempotency_key", nullable=True),
    json("envelope", nullable=True),
    stamped("created_at"),
    stamped("updated_at"),
    one_of("status", DirectiveStatus),
    one_of("status_reason", StatusReason),
    check(
        "reason_when_stopped",
        "CASE status WHEN 'executing' THEN COALESCE(status_reason, 'in_doubt') = 'in_doubt' "
        "ELSE (status IN ('blocked', 'aborted')) = (status_reason IS NOT NULL) "
        "AND COALESCE(status_reason, '') <> 'in_doubt' END",
    ),
    check("digest_once_proposed", "status = 'draft' OR action_digest IS NOT NULL"),
    *(json_is(name, "object") for name in ("payload", "constraints", "success_metrics")),
    sa.UniqueConstraint("issued_by", "idempotency_key"),
    *(sa.Index(None, *names) for names in (("status", "updated_at"), ("created_at",))),
)

# 3 consent. A request asks; votes answer; a grant is what an approval leaves behind.
approval_requests = sa.Table(
    "approval_requests",
    metadata,
    id_(),
    ref("directive_id", "directives.id"),
    text("action_digest"),
    *map(text, ("policy_version", "policy_digest")),
    text("status", default="pending"),
    sa.Column("required_approvals", sa.Integer, nullable=False),
    sa.Column("allow_self_approval", sa.Boolean, nullable=False),
    sa.Column("rejection_ends", sa.Boolean, nullable=False, server_default=sa.true()),
    json("approver_groups"),
    json("rules"),
    stamped("requested_at"),
    time("expires_at"),
    time("resolved_at", nullable=True),
    one_of("status", RequestStatus),
    check("someone_must_approve", "required_approvals >= 1"),
    unique_if("uq_approval_requests_pending", "directive_id", "status = 'pending'"),
    sa.Index("ix_approval_requests_directive_id", "directive_id"),
)

approval_votes = sa.Table(
    "approval_votes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    ref("request_id", "approval_requests.id"),
    text("voter"),
    text("decision"),
    text("reason", nullable=True),
    text("action_digest"),
    ref("token_id", "api_tokens.id", nullable=True),
    json("standing", nullable=True),
    json("envelope", nullable=True),
    stamped("cast_at"),
    one_of("decision", VoteDecision),
    json_is("standing", "object"),
    check("rejection_has_reason", "decision = 'approve' OR reason IS NOT NULL"),
    sa.Index(None, "request_id"),
)

grants = sa.Table(
    "grants",
    metadata,
    id_(),
    ref("directive_id", "directives.id"),
    ref("request_id", "approval_requests.id", nullable=True),
    text("action_digest"),
    *map(text, ("policy_version", "policy_digest")),
    text("module"),
    text("module_version", default=""),
    text("module_digest", default=""),
    sa.Column("required_approvals", sa.Integer, nullable=False, server_default="0"),
    *(json("votes"), json_is("votes", "array")),
    *(json("heard", nullable=True), json_is("heard", "object")),
    money("budget", nullable=True),
    json("envelope", nullable=True),
    stamped("issued_at"),
    time("expires_at"),
    time("voided_at", nullable=True),
    text("void_reason", nullable=True),
    one_of("void_reason", VoidReason),
    check("void_has_reason", "(voided_at IS NULL) = (void_reason IS NULL)"),
    sa.Index(None, "directive_id"),
)

# What the gate promised to directives, and what they spent, for each limit and period. A trigger
# keeps the sums of the accounts from the entries, and refuses the entry that passes a ceiling.
budget_accounts = sa.Table(
    "budget_accounts",
    metadata,
    key("account"),
    time("period_start", primary_key=True),
    money("reserved", default="0"),
    money("settled", default="0"),
    check("sums_are_amounts", "reserved >= 0 AND settled >= 0"),
)

budget_entries = sa.Table(
    "budget_entries",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    text("account"),
    time("period_start"),
    ref("directive_id", "directives.id"),
    ref("grant_id", "grants.id"),
    text("kind"),
    money("amount"),
    money("ceiling", nullable=True),
    stamped("created_at"),
    one_of("kind", EntryKind),
    check("amount_is_one", "amount >= 0"),
    sa.ForeignKeyConstraint(
        ["account", "period_start"], ["budget_accounts.account", "budget_accounts.period_start"]
    ),
    unique_if("uq_budget_entries_reserved", "grant_id account", "kind = 'reserve'"),
    unique_if("uq_budget_entries_closed", "grant_id account", "kind <> 'reserve'"),
    sa.Index(None, "directive_id"),
)
