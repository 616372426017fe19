-- Takes back what 0007_tables.sql made.

DROP TABLE execution_attempts, workers, policies, token_invitations, installation;

-- The newest version of each module is the one that stands announced.
ALTER TABLE modules DISABLE TRIGGER USER;
DELETE FROM modules AS older USING modules AS newer
    WHERE older.name = newer.name
        AND (older.announced_at, older.digest) < (newer.announced_at, newer.digest);
ALTER TABLE modules ENABLE TRIGGER USER;
ALTER TABLE modules ENABLE ALWAYS TRIGGER remit_modules_kept;
ALTER TABLE modules DROP CONSTRAINT pk_modules, ADD CONSTRAINT pk_modules PRIMARY KEY (name);

DROP TRIGGER remit_token_frozen ON api_tokens;
DROP TRIGGER remit_directive_reason ON directives;
ALTER TABLE directives
    DROP CONSTRAINT ck_directives_status_reason_known,
    DROP CONSTRAINT ck_directives_reason_when_stopped;
-- What was in doubt executes, as far as the former form can say.
ALTER TABLE directives DISABLE TRIGGER USER;
UPDATE directives SET status_reason = NULL WHERE status_reason = 'in_doubt';
ALTER TABLE directives ENABLE TRIGGER USER;
ALTER TABLE directives
    ADD CONSTRAINT ck_directives_status_reason_known CHECK (status_reason IN (
        'policy', 'rejected', 'expired', 'canceled', 'approval_expired', 'policy_changed',
        'action_changed', 'approval_unverifiable', 'budget_exhausted', 'module_failed',
        'module_error', 'timed_out', 'attempts_exhausted'
    )),
    ADD CONSTRAINT ck_directives_reason_when_stopped CHECK (
        (status IN ('blocked', 'aborted')) = (status_reason IS NOT NULL)
    );
CREATE TRIGGER remit_directive_reason BEFORE UPDATE OF status_reason ON directives FOR EACH ROW
    WHEN (OLD.status = NEW.status AND OLD.status_reason IS DISTINCT FROM NEW.status_reason)
    EXECUTE FUNCTION remit_refuse('the reason of a status is frozen until the status changes');

DROP TRIGGER remit_directive_digest ON directives;
CREATE TRIGGER remit_directive_digest BEFORE UPDATE OF action_digest ON directives FOR EACH ROW
    WHEN (OLD.status <> 'draft' AND OLD.action_digest IS DISTINCT FROM NEW.action_digest)
    EXECUTE FUNCTION remit_refuse('the action digest of a directive is frozen once it is proposed');

REVOKE UPDATE (envelope) ON directives, execution_runs FROM remit_app;
ALTER TABLE directives DROP COLUMN envelope;
ALTER TABLE approval_votes DROP COLUMN token_id, DROP COLUMN standing;
ALTER TABLE grants DROP COLUMN heard;
ALTER TABLE api_tokens
    DROP COLUMN created_with, DROP COLUMN redeemed, DROP COLUMN revoked_since,
    DROP COLUMN revocation;
ALTER TABLE execution_runs DROP COLUMN envelope;
ALTER TABLE artifacts DROP COLUMN envelope;
ALTER TABLE memories DROP COLUMN envelope;
CREATE TRIGGER remit_token_frozen BEFORE UPDATE ON api_tokens FOR EACH ROW
    WHEN (
        to_jsonb(OLD) - 'revoked_at' <> to_jsonb(NEW) - 'revoked_at'
        OR OLD.revoked_at <> COALESCE(NEW.revoked_at, 'infinity')
    )
    EXECUTE FUNCTION remit_refuse('a token may only be revoked, once and for good');
GRANT INSERT ON principals, api_tokens, directives, artifacts TO remit_app;
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgname ^@ 'remit_' AND tgenabled <> 'A'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', found.place, found.tgname);
    END LOOP;
END
$$;
