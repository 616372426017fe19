-- A vote is cast with a token of the voter's that holds, and one that was revoked carries no grant.

CREATE FUNCTION remit_check_vote_token() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Locked, so that a revocation comes before the vote or after it; by the clock on the wall, as
    -- a transaction may have waited since it began.
    PERFORM FROM api_tokens
        WHERE id = NEW.token_id AND principal = NEW.voter
            AND revoked_at IS NULL AND expires_at > clock_timestamp()
        FOR SHARE;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a vote is cast with a token of the voter''s that was neither revoked nor is over';
END
$$;

CREATE TRIGGER remit_vote_by_token BEFORE INSERT ON approval_votes FOR EACH ROW
    EXECUTE FUNCTION remit_check_vote_token();

CREATE OR REPLACE FUNCTION remit_check_consent() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- A voter's latest word is the one that counts. An approval with a token that was revoked since
    -- is none; a rejection stays.
    IF EXISTS (
        SELECT FROM approval_requests AS request
        WHERE request.id = NEW.request_id AND request.directive_id = NEW.directive_id
            AND request.status IN ('pending', 'approved')
            AND request.action_digest = NEW.action_digest
            AND request.policy_digest = NEW.policy_digest
            AND request.required_approvals = NEW.required_approvals
            AND request.required_approvals <= (
                SELECT count(*) FROM (
                    SELECT DISTINCT ON (vote.voter) vote.voter, vote.decision
                    FROM approval_votes AS vote
                    WHERE vote.request_id = NEW.request_id AND (
                        vote.decision = 'reject' OR EXISTS (
                            SELECT FROM api_tokens AS token
                            WHERE token.id = vote.token_id AND token.principal = vote.voter
                                AND token.revoked_at IS NULL
                        )
                    )
                    ORDER BY vote.voter, vote.cast_at DESC, vote.id DESC
                ) AS latest
                JOIN principals ON principals.name = latest.voter
                WHERE latest.decision = 'approve' AND NEW.votes ? latest.voter
                    AND principals.disabled_at IS NULL
            )
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a grant by people needs the votes that its request asks for';
END
$$;
