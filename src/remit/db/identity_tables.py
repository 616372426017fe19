"""The schema's first page: the installation, who acts in it, and which policies it knows.

`remit.db.tables`, `remit.db.execution_tables` and `remit.db.evidence_tables` follow, and
`remit.db.schema` binds them. Migrations build exactly what these pages say, and a test compares.
Text columns hold words from closed lists; each list is a CHECK here and a `Literal` in the package
that owns the word, and a test holds those equal too. All times are `timestamptz`, stamped by the
database's own clock.

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
    named,
    one_of,
    ref,
    stamped,
    text,
    time,
)
from remit.vocabulary import PrincipalKind

# One row, made by the migration. Every signed statement names `id`, so that nothing that was signed
# for one database means anything in another. What was stored before `since` may be signed in the
# first version, which named none.
installation = sa.Table(
    "installation",
    metadata,
    id_(),
    stamped("since"),
    sa.Column("singleton", sa.Boolean, nullable=False, server_default=sa.true(), unique=True),
    check("there_is_one", "singleton"),
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
    one_of("kind", PrincipalKind),
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
    sa.Column("created_with", sa.Uuid, nullable=True),
    sa.Column("redeemed", sa.Boolean, nullable=False, server_default=sa.false()),
    time("revoked_since", nullable=True),
    json("revocation", nullable=True),
    json_is("scopes", "array"),
    check("revoked_since_before", "revoked_since IS NULL OR revoked_since <= revoked_at"),
    sa.Index(None, "principal"),
)

# What an admin hands to a person, who makes a token of it that nobody else has seen.
token_invitations = sa.Table(
    "token_invitations",
    metadata,
    id_(),
    named("principal", "principals.name"),
    text("hash"),
    json("scopes"),
    sa.Column("valid_seconds", sa.Integer, nullable=False),
    text("created_by"),
    sa.Column("created_with", sa.Uuid, nullable=True),
    stamped("created_at"),
    time("expires_at"),
    time("redeemed_at", nullable=True),
    ref("token_id", "api_tokens.id", nullable=True),
    json("envelope"),
    time("revoked_at", nullable=True),
    json("revocation", nullable=True),
    json_is("scopes", "array"),
    check("valid_for_some_time", "valid_seconds > 0"),
    check("redeemed_by_a_token", "(redeemed_at IS NULL) = (token_id IS NULL)"),
    check("ended_once", "redeemed_at IS NULL OR revoked_at IS NULL"),
    sa.Index(None, "principal"),
)

# Policies that somebody who operates Remit has confirmed, by digest.
policies = sa.Table(
    "policies",
    metadata,
    key("digest"),
    *map(text, ("version", "confirmed_by")),
    stamped("confirmed_at"),
    json("envelope"),
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
