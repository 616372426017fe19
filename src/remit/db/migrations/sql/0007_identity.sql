-- Identity: ends are stamped now, said once and for good, and what was said of them is signed.

ALTER TABLE token_invitations
    ADD COLUMN revoked_at timestamptz CONSTRAINT ck_token_invitations_revoked_at_readable CHECK (
        revoked_at >= '1900-01-01 00:00:00+00' AND revoked_at < '9000-01-01 00:00:00+00'
    ),
    ADD COLUMN revocation jsonb,
    ADD CONSTRAINT ck_token_invitations_ended_once
        CHECK (redeemed_at IS NULL OR revoked_at IS NULL);
GRANT UPDATE (revoked_at, revocation) ON token_invitations TO remit_app;

DROP TRIGGER remit_invitation_frozen ON token_invitations;
CREATE TRIGGER remit_invitation_frozen BEFORE UPDATE ON token_invitations FOR EACH ROW
    WHEN (
        OLD.redeemed_at IS NOT NULL OR OLD.revoked_at IS NOT NULL
        OR to_jsonb(OLD) - ARRAY['redeemed_at', 'token_id', 'revoked_at', 'revocation']
            <> to_jsonb(NEW) - ARRAY['redeemed_at', 'token_id', 'revoked_at', 'revocation']
    )
    EXECUTE FUNCTION remit_refuse('an invitation is redeemed or revoked once, and for good');

-- The first version of a principal's and a token's statement counts by when they ended.
CREATE TRIGGER remit_principal_ended_now BEFORE UPDATE OF disabled_at ON principals FOR EACH ROW
    WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at <> now())
    EXECUTE FUNCTION remit_refuse('whoever is shut out is shut out now');
CREATE TRIGGER remit_token_ended_now BEFORE UPDATE OF revoked_at ON api_tokens FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at <> now())
    EXECUTE FUNCTION remit_refuse('a token that is revoked is revoked now');
CREATE TRIGGER remit_invitation_ended_now
    BEFORE UPDATE OF redeemed_at, revoked_at ON token_invitations FOR EACH ROW
    WHEN (
        OLD.redeemed_at IS NULL AND NEW.redeemed_at <> now()
        OR OLD.revoked_at IS NULL AND NEW.revoked_at <> now()
    )
    EXECUTE FUNCTION remit_refuse('an invitation that ends does so now');

-- What was said of the end of a token: from when on nothing counts may only reach further back.
CREATE TRIGGER remit_token_revocation BEFORE UPDATE OF revoked_since, revocation
    ON api_tokens FOR EACH ROW
    WHEN (
        NEW.revoked_at IS NULL AND (NEW.revoked_since IS NOT NULL OR NEW.revocation IS NOT NULL)
        OR OLD.revoked_since < COALESCE(NEW.revoked_since, 'infinity')
        OR OLD.revocation IS NOT NULL AND NEW.revocation IS NULL
    )
    EXECUTE FUNCTION remit_refuse('the end of a token only reaches further back');
