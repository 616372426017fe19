-- The installation's identity, workers with their leases, attempts, invitations, confirmed policies;
-- and the columns that hold what was signed.

-- Several versions of a module stand side by side.
ALTER TABLE modules DROP CONSTRAINT pk_modules, ADD CONSTRAINT pk_modules PRIMARY KEY (name, digest);

CREATE TABLE installation (
    id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
    CONSTRAINT ck_installation_since_readable CHECK (
        since >= '1900-01-01 00:00:00+00' AND since < '9000-01-01 00:00:00+00'
    ),
    singleton BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT pk_installation PRIMARY KEY (id),
    CONSTRAINT ck_installation_there_is_one CHECK (singleton),
    CONSTRAINT uq_installation_singleton UNIQUE (singleton)
);
CREATE TABLE token_invitations (
    id UUID NOT NULL,
    principal TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes JSONB NOT NULL,
    valid_seconds INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_with UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
    CONSTRAINT ck_token_invitations_created_at_readable CHECK (
        created_at >= '1900-01-01 00:00:00+00' AND created_at < '9000-01-01 00:00:00+00'
    ),
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL
    CONSTRAINT ck_token_invitations_expires_at_readable CHECK (
        expires_at >= '1900-01-01 00:00:00+00' AND expires_at < '9000-01-01 00:00:00+00'
    ),
    redeemed_at TIMESTAMP WITH TIME ZONE
    CONSTRAINT ck_token_invitations_redeemed_at_readable CHECK (
        redeemed_at >= '1900-01-01 00:00:00+00' AND redeemed_at < '9000-01-01 00:00:00+00'
    ),
    token_id UUID,
    envelope JSONB NOT NULL,
    CONSTRAINT pk_token_invitations PRIMARY KEY (id),
    CONSTRAINT ck_token_invitations_scopes_is_array CHECK (jsonb_typeof(scopes) = 'array'),
    CONSTRAINT ck_token_invitations_valid_for_some_time CHECK (valid_seconds > 0),
    CONSTRAINT ck_token_invitations_redeemed_by_a_token CHECK ((redeemed_at IS NULL) = (token_id IS NULL)),
    CONSTRAINT fk_token_invitations_principal FOREIGN KEY(principal) REFERENCES principals (name),
    CONSTRAINT fk_token_invitations_token_id FOREIGN KEY(token_id) REFERENCES api_tokens (id)
);
CREATE INDEX ix_token_invitations_principal ON token_invitations (principal);
CREATE TABLE policies (
    digest TEXT NOT NULL,
    version TEXT NOT NULL,
    confirmed_by TEXT NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
    CONSTRAINT ck_policies_confirmed_at_readable CHECK (
        confirmed_at >= '1900-01-01 00:00:00+00' AND confirmed_at < '9000-01-01 00:00:00+00'
    ),
    envelope JSONB NOT NULL,
    CONSTRAINT pk_policies PRIMARY KEY (digest)
);
CREATE TABLE workers (
    id UUID NOT NULL,
    kid TEXT NOT NULL,
    public_key TEXT NOT NULL,
    modules JSONB NOT NULL,
    envelope JSONB NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
    CONSTRAINT ck_workers_started_at_readable CHECK (
        started_at >= '1900-01-01 00:00:00+00' AND started_at < '9000-01-01 00:00:00+00'
    ),
    lease_until TIMESTAMP WITH TIME ZONE NOT NULL
    CONSTRAINT ck_workers_lease_until_readable CHECK (
        lease_until >= '1900-01-01 00:00:00+00' AND lease_until < '9000-01-01 00:00:00+00'
    ),
    ended_at TIMESTAMP WITH TIME ZONE
    CONSTRAINT ck_workers_ended_at_readable CHECK (
        ended_at >= '1900-01-01 00:00:00+00' AND ended_at < '9000-01-01 00:00:00+00'
    ),
    CONSTRAINT pk_workers PRIMARY KEY (id),
    CONSTRAINT ck_workers_modules_is_object CHECK (jsonb_typeof(modules) = 'object'),
    CONSTRAINT uq_workers_kid UNIQUE (kid)
);
CREATE INDEX ix_workers_lease_until ON workers (lease_until);
CREATE TABLE execution_attempts (
    run_id UUID NOT NULL,
    attempt INTEGER NOT NULL,
    worker_id UUID NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
    CONSTRAINT ck_execution_attempts_started_at_readable CHECK (
        started_at >= '1900-01-01 00:00:00+00' AND started_at < '9000-01-01 00:00:00+00'
    ),
    ended_at TIMESTAMP WITH TIME ZONE
    CONSTRAINT ck_execution_attempts_ended_at_readable CHECK (
        ended_at >= '1900-01-01 00:00:00+00' AND ended_at < '9000-01-01 00:00:00+00'
    ),
    outcome TEXT,
    cost NUMERIC(14, 2),
    envelope JSONB,
    CONSTRAINT pk_execution_attempts PRIMARY KEY (run_id, attempt),
    CONSTRAINT ck_execution_attempts_outcome_known CHECK (outcome IN ('success', 'error')),
    CONSTRAINT ck_execution_attempts_attempt_is_one CHECK (attempt >= 1),
    CONSTRAINT ck_execution_attempts_cost_is_an_amount CHECK (cost >= 0),
    CONSTRAINT ck_execution_attempts_end_is_said CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT ck_execution_attempts_end_is_signed CHECK ((ended_at IS NULL) = (envelope IS NULL)),
    CONSTRAINT fk_execution_attempts_run_id FOREIGN KEY(run_id) REFERENCES execution_runs (id),
    CONSTRAINT fk_execution_attempts_worker_id FOREIGN KEY(worker_id) REFERENCES workers (id)
);
CREATE INDEX ix_execution_attempts_worker_id ON execution_attempts (worker_id);

INSERT INTO installation (id) VALUES (gen_random_uuid());

ALTER TABLE directives ADD COLUMN envelope jsonb;
ALTER TABLE approval_votes
    ADD COLUMN token_id uuid CONSTRAINT fk_approval_votes_token_id REFERENCES api_tokens (id),
    ADD COLUMN standing jsonb
        CONSTRAINT ck_approval_votes_standing_is_object CHECK (jsonb_typeof(standing) = 'object');
ALTER TABLE grants
    ADD COLUMN heard jsonb
        CONSTRAINT ck_grants_heard_is_object CHECK (jsonb_typeof(heard) = 'object');
ALTER TABLE api_tokens
    ADD COLUMN created_with uuid,
    ADD COLUMN redeemed boolean NOT NULL DEFAULT false,
    ADD COLUMN revoked_since timestamptz CONSTRAINT ck_api_tokens_revoked_since_readable CHECK (
        revoked_since >= '1900-01-01 00:00:00+00' AND revoked_since < '9000-01-01 00:00:00+00'
    ),
    ADD COLUMN revocation jsonb,
    ADD CONSTRAINT ck_api_tokens_revoked_since_before
        CHECK (revoked_since IS NULL OR revoked_since <= revoked_at);
ALTER TABLE execution_runs ADD COLUMN envelope jsonb;
ALTER TABLE artifacts ADD COLUMN envelope jsonb;
ALTER TABLE memories ADD COLUMN envelope jsonb;

-- What executes, and nobody knows how it ended, says so until a person settles it.
ALTER TABLE directives
    DROP CONSTRAINT ck_directives_status_reason_known,
    DROP CONSTRAINT ck_directives_reason_when_stopped,
    ADD CONSTRAINT ck_directives_status_reason_known CHECK (status_reason IN (
        'policy', 'rejected', 'expired', 'canceled', 'approval_expired', 'policy_changed',
        'action_changed', 'approval_unverifiable', 'budget_exhausted', 'module_failed',
        'module_error', 'timed_out', 'attempts_exhausted', 'in_doubt'
    )),
    ADD CONSTRAINT ck_directives_reason_when_stopped CHECK (
        CASE status WHEN 'executing' THEN COALESCE(status_reason, 'in_doubt') = 'in_doubt'
        ELSE (status IN ('blocked', 'aborted')) = (status_reason IS NOT NULL)
            AND COALESCE(status_reason, '') <> 'in_doubt' END
    );
DROP TRIGGER remit_directive_reason ON directives;
CREATE TRIGGER remit_directive_reason BEFORE UPDATE OF status_reason ON directives FOR EACH ROW
    WHEN (
        OLD.status = NEW.status AND OLD.status_reason IS DISTINCT FROM NEW.status_reason
        AND (OLD.status <> 'executing' OR OLD.status_reason IS NOT NULL)
    )
    EXECUTE FUNCTION remit_refuse('the reason of a status is frozen until the status changes');

-- What its issuer is said to have said is frozen with the digest.
DROP TRIGGER remit_directive_digest ON directives;
CREATE TRIGGER remit_directive_digest BEFORE UPDATE OF action_digest, envelope ON directives
    FOR EACH ROW
    WHEN (
        OLD.status <> 'draft'
        AND (OLD.action_digest, OLD.envelope)::record *<> (NEW.action_digest, NEW.envelope)::record
    )
    EXECUTE FUNCTION remit_refuse('the action digest of a directive is frozen once it is proposed');

-- Rights: services add rows, and change the few columns that a life passes through. When a row was
-- made is the database's to say: what was signed in the first version counts by that time.
GRANT SELECT ON
    installation, token_invitations, policies, workers, execution_attempts
    TO remit_app;
REVOKE INSERT ON principals, api_tokens, directives, artifacts FROM remit_app;
GRANT INSERT (name, kind, roles, groups, acts_for, created_by, revision, envelope)
    ON principals TO remit_app;
GRANT INSERT (
    id, principal, hash, scopes, created_by, expires_at, envelope, created_with, redeemed
) ON api_tokens TO remit_app;
GRANT INSERT (
    id, role, type, payload, issued_by, objective, scope, constraints, success_metrics, budget,
    timebox, status, status_reason, action_digest, idempotency_key, envelope
) ON directives TO remit_app;
GRANT INSERT (
    id, type, uri, directive_id, run_id, metadata, digest, size_bytes, content, envelope
) ON artifacts TO remit_app;
GRANT INSERT (envelope) ON memories TO remit_app;
GRANT UPDATE (envelope) ON directives, execution_runs TO remit_app;
GRANT UPDATE (revoked_since, revocation) ON api_tokens TO remit_app;
GRANT INSERT (
    id, principal, hash, scopes, valid_seconds, created_by, created_with, expires_at, envelope
) ON token_invitations TO remit_app;
GRANT UPDATE (redeemed_at, token_id) ON token_invitations TO remit_app;
GRANT INSERT (digest, version, confirmed_by, envelope) ON policies TO remit_app;
GRANT INSERT (id, kid, public_key, modules, envelope, lease_until) ON workers TO remit_app;
GRANT UPDATE (lease_until, ended_at) ON workers TO remit_app;
GRANT INSERT (run_id, attempt, worker_id) ON execution_attempts TO remit_app;
GRANT UPDATE (ended_at, outcome, cost, envelope) ON execution_attempts TO remit_app;

-- What is said for good.
DROP TRIGGER remit_token_frozen ON api_tokens;
CREATE TRIGGER remit_token_frozen BEFORE UPDATE ON api_tokens FOR EACH ROW
    WHEN (
        to_jsonb(OLD) - ARRAY['revoked_at', 'revoked_since', 'revocation']
            <> to_jsonb(NEW) - ARRAY['revoked_at', 'revoked_since', 'revocation']
        OR OLD.revoked_at <> COALESCE(NEW.revoked_at, 'infinity')
    )
    EXECUTE FUNCTION remit_refuse('a token may only be revoked, once and for good');
CREATE TRIGGER remit_worker_frozen BEFORE UPDATE ON workers FOR EACH ROW
    WHEN (
        to_jsonb(OLD) - ARRAY['lease_until', 'ended_at']
            <> to_jsonb(NEW) - ARRAY['lease_until', 'ended_at']
        OR OLD.ended_at <> COALESCE(NEW.ended_at, 'infinity')
    )
    EXECUTE FUNCTION remit_refuse('who a worker is, is frozen, and so is its end');
CREATE TRIGGER remit_attempt_frozen BEFORE UPDATE ON execution_attempts FOR EACH ROW
    WHEN (
        OLD.ended_at IS NOT NULL
        OR (OLD.run_id, OLD.attempt, OLD.worker_id, OLD.started_at)::record
            *<> (NEW.run_id, NEW.attempt, NEW.worker_id, NEW.started_at)::record
    )
    EXECUTE FUNCTION remit_refuse('an attempt ends once, and for good');
CREATE TRIGGER remit_invitation_frozen BEFORE UPDATE ON token_invitations FOR EACH ROW
    WHEN (
        OLD.redeemed_at IS NOT NULL
        OR to_jsonb(OLD) - ARRAY['redeemed_at', 'token_id']
            <> to_jsonb(NEW) - ARRAY['redeemed_at', 'token_id']
    )
    EXECUTE FUNCTION remit_refuse('an invitation is redeemed once, and for good');
DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['installation', 'policies'] LOOP
        EXECUTE format(
            'CREATE TRIGGER remit_%s_unchanged BEFORE UPDATE ON %I FOR EACH STATEMENT '
            'EXECUTE FUNCTION remit_refuse(''evidence is never changed'')', named, named);
    END LOOP;
    FOREACH named IN ARRAY ARRAY[
        'installation', 'token_invitations', 'policies', 'workers', 'execution_attempts'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER remit_%s_kept BEFORE DELETE OR TRUNCATE ON %I FOR EACH STATEMENT '
            'EXECUTE FUNCTION remit_refuse(''what governs and what happened is never removed'')',
            named, named);
    END LOOP;
END
$$;
