"""The schema's first page: who acts, and boxes 1 to 4 of the loop.

`remit.db.evidence_tables` is the second, and `remit.db.schema` binds the two. Migrations build
exactly what these pages say, and a test compares. Text columns hold words from closed lists; each
list is a CHECK here and a `Literal` in the package that owns the word, and a test holds those equal
too. All times are `timestamptz`, stamped by the database's own clock.

Only repositories and mutators import these pages.
"""

import sqlalchemy as sa

from remit.db.columns import (
    check,
    id_,
    json,
    json_is,
    key,
    metadata,
    money,
    named,
    one_of,
    ref,
    stamped,
    text,
    time,
    unique_if,
)

# Who may ask, consent and look. Everything but roles, groups and the end of a principal is frozen.
principals = sa.Table(
    "principals",
    metadata,
    key("name"),
    text("kind"),
    *map(json, ("roles", "groups")),
    text("acts_for", nullable=True),
    text("created_by"),
    stamped("created_at"),
    time("disabled_at", nullable=True),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    json("envelope", nullable=True),
    one_of("kind", "human agent service"),
    check("name_is_plain", "name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'"),
    check("people_act_for_themselves", "acts_for IS NULL OR kind <> 'human'"),
    sa.ForeignKeyConstraint(["acts_for"], ["principals.name"]),
    *(json_is(name, "array") for name in ("roles", "groups")),
)

# A token itself is never stored: only its digest is.
api_tokens = sa.Table(
    "api_tokens",
    metadata,
    id_(),
    named("principal", "principals.name"),
    text("hash"),
    json("scopes"),
    text("created_by"),
    stamped("created_at"),
    time("expires_at"),
    time("revoked_at", nullable=True),
    json("envelope", nullable=True),
    json_is("scopes", "array"),
    sa.Index(None, "principal"),
)

agent_roles = sa.Table(
    "agent_roles",
    metadata,
    key("role_name"),
    text("current_impl", nullable=True),
    text("status"),
    time("last_review", nullable=True),
    stamped("created_at"),
)

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
    stamped("created_at"),
    stamped("updated_at"),
    one_of("status", "draft proposed approved executing complete blocked aborted"),
    one_of(
        "status_reason",
        "policy rejected expired canceled "
        "approval_expired policy_changed action_changed approval_unverifiable "
        "budget_exhausted module_failed module_error timed_out attempts_exhausted",
    ),
    check(
        "reason_when_stopped", "(status IN ('blocked', 'aborted')) = (status_reason IS NOT NULL)"
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
    one_of("status", "pending approved rejected expired canceled invalidated consumed"),
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
    json("envelope", nullable=True),
    stamped("cast_at"),
    one_of("decision", "approve reject"),
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
    money("budget", nullable=True),
    json("envelope", nullable=True),
    stamped("issued_at"),
    time("expires_at"),
    time("voided_at", nullable=True),
    text("void_reason", nullable=True),
    one_of(
        "void_reason",
        "approval_expired policy_changed action_changed approval_unverifiable canceled",
    ),
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
    one_of("kind", "reserve settle release"),
    check("amount_is_one", "amount >= 0"),
    sa.ForeignKeyConstraint(
        ["account", "period_start"], ["budget_accounts.account", "budget_accounts.period_start"]
    ),
    unique_if("uq_budget_entries_reserved", "grant_id account", "kind = 'reserve'"),
    unique_if("uq_budget_entries_closed", "grant_id account", "kind <> 'reserve'"),
    sa.Index(None, "directive_id"),
)

# What the workers can execute: a grant binds to the digest that was announced when it was issued.
modules = sa.Table(
    "modules",
    metadata,
    key("name"),
    *map(text, ("version", "digest", "summary")),
    stamped("announced_at"),
)

# 4 act. `grant_id` is unique: that is how a grant is consumed once.
execution_runs = sa.Table(
    "execution_runs",
    metadata,
    id_(),
    ref("directive_id", "directives.id"),
    ref("grant_id", "grants.id"),
    text("module"),
    text("module_version"),
    text("status", default="pending"),
    text("idempotency_key"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    json("result", nullable=True),
    text("error_type", nullable=True),
    text("error_message", nullable=True),
    stamped("created_at"),
    time("started_at", nullable=True),
    time("ended_at", nullable=True),
    one_of("status", "pending running completed failed canceled"),
    check(
        "end_is_stamped", "(status IN ('completed', 'failed', 'canceled')) = (ended_at IS NOT NULL)"
    ),
    *(sa.UniqueConstraint(name) for name in ("grant_id", "idempotency_key")),
    sa.Index(None, "directive_id"),
)
