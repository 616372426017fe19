-- Takes back what 0007_consent.sql made.

DROP TRIGGER remit_vote_by_token ON approval_votes;
DROP FUNCTION remit_check_vote_token();

CREATE OR REPLACE FUNCTION remit_check_consent() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- A voter's latest word is the one that counts.
    IF EXISTS (
        SELECT FROM approval_requests AS request
        WHERE request.id = NEW.request_id AND request.directive_id = NEW.directive_id
            AND request.status IN ('pending', 'approved')
            AND request.action_digest = NEW.action_digest
            AND request.policy_digest = NEW.policy_digest
            AND request.required_approvals = NEW.required_approvals
            AND request.required_approvals <= (
                SELECT count(*) FROM (
                    SELECT DISTINCT ON (voter) voter, decision FROM approval_votes
                    WHERE request_id = NEW.request_id
                    ORDER BY voter, cast_at DESC, id DESC
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
