-- Who may vote on what, and which grants follow from the votes, or from policy alone.

CREATE TRIGGER remit_request_begins BEFORE INSERT ON approval_requests FOR EACH ROW
    WHEN (NEW.status <> 'pending' OR NEW.resolved_at IS NOT NULL OR NEW.requested_at <> now())
    EXECUTE FUNCTION remit_refuse('an approval request begins as pending, and now');

CREATE TRIGGER remit_request_status BEFORE UPDATE ON approval_requests FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND OLD.status || ' to ' || NEW.status <> ALL (ARRAY[
        'pending to approved', 'pending to rejected', 'pending to expired', 'pending to canceled',
        'pending to invalidated', 'approved to consumed', 'approved to canceled',
        'approved to invalidated'
    ]))
    EXECUTE FUNCTION remit_refuse('an approval request may not go from this status to that one');

CREATE TRIGGER remit_request_frozen BEFORE UPDATE ON approval_requests FOR EACH ROW
    WHEN (
        to_jsonb(OLD) - ARRAY['status', 'resolved_at']
            <> to_jsonb(NEW) - ARRAY['status', 'resolved_at']
        OR OLD.resolved_at <> COALESCE(NEW.resolved_at, 'infinity')
    )
    EXECUTE FUNCTION remit_refuse('what an approval request asks is frozen, and so is its end');

CREATE FUNCTION remit_check_vote_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM approval_requests
        WHERE id = NEW.request_id AND status = 'pending' AND expires_at > now()
            AND action_digest = NEW.action_digest
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a vote answers a request that is pending, not expired, and asks about this action';
END
$$;

CREATE TRIGGER remit_vote_now BEFORE INSERT ON approval_votes FOR EACH ROW
    WHEN (NEW.cast_at <> now())
    EXECUTE FUNCTION remit_refuse('a vote is cast now');

CREATE TRIGGER remit_vote_open BEFORE INSERT ON approval_votes FOR EACH ROW
    EXECUTE FUNCTION remit_check_vote_open();

CREATE FUNCTION remit_check_voter() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM principals WHERE name = NEW.voter AND kind = 'human' AND disabled_at IS NULL
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'only a person who is known and not shut out may vote';
END
$$;

CREATE TRIGGER remit_vote_by_person BEFORE INSERT ON approval_votes FOR EACH ROW
    EXECUTE FUNCTION remit_check_voter();

CREATE FUNCTION remit_check_vote_not_own() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Whoever issued it, whom that one acts for, whom that one acts for, and so on.
    IF EXISTS (
        WITH RECURSIVE behind (name) AS (
            SELECT directive.issued_by
            FROM approval_requests AS request
            JOIN directives AS directive ON directive.id = request.directive_id
            WHERE request.id = NEW.request_id AND NOT request.allow_self_approval
            UNION
            SELECT principal.acts_for
            FROM behind JOIN principals AS principal ON principal.name = behind.name
            WHERE principal.acts_for IS NOT NULL
        )
        SELECT FROM behind WHERE name = NEW.voter
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            MESSAGE = 'nobody approves what they issued, or what was issued on their behalf';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER remit_vote_not_own BEFORE INSERT ON approval_votes FOR EACH ROW
    EXECUTE FUNCTION remit_check_vote_not_own();

-- The lock makes grants of one directive come one after the other.
CREATE FUNCTION remit_check_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM public.directives AS directive
        WHERE directive.id OPERATOR(pg_catalog.=) NEW.directive_id
            AND directive.status OPERATOR(pg_catalog.=) ANY ('{proposed,approved}')
            AND directive.type OPERATOR(pg_catalog.=) NEW.module
            AND directive.action_digest OPERATOR(pg_catalog.=) NEW.action_digest
        FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT FROM public.grants AS earlier
        WHERE earlier.directive_id OPERATOR(pg_catalog.=) NEW.directive_id
            AND earlier.voided_at IS NULL
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a grant is for what a waiting directive does, and there is one at a time';
END
$$;

CREATE TRIGGER remit_grant_begins BEFORE INSERT ON grants FOR EACH ROW
    WHEN (NEW.voided_at IS NOT NULL OR NEW.issued_at <> now())
    EXECUTE FUNCTION remit_refuse('a grant is issued now, and is good then');

CREATE TRIGGER remit_grant_fits BEFORE INSERT ON grants FOR EACH ROW
    EXECUTE FUNCTION remit_check_grant();

CREATE FUNCTION remit_check_consent() RETURNS trigger
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

CREATE TRIGGER remit_grant_by_people BEFORE INSERT ON grants FOR EACH ROW
    WHEN (NEW.request_id IS NOT NULL)
    EXECUTE FUNCTION remit_check_consent();

CREATE FUNCTION remit_check_unasked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.votes OPERATOR(pg_catalog.=) '[]' AND NEW.required_approvals OPERATOR(pg_catalog.=) 0
        AND NOT EXISTS (
            SELECT FROM public.approval_requests AS request
            WHERE request.directive_id OPERATOR(pg_catalog.=) NEW.directive_id
                AND request.status OPERATOR(pg_catalog.=) 'pending'
        )
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a grant by policy names no voter, and nobody is being asked';
END
$$;

CREATE TRIGGER remit_grant_by_policy BEFORE INSERT ON grants FOR EACH ROW
    WHEN (NEW.request_id IS NULL)
    EXECUTE FUNCTION remit_check_unasked();

CREATE TRIGGER remit_grant_frozen BEFORE UPDATE ON grants FOR EACH ROW
    WHEN (
        OLD.voided_at IS NOT NULL
        OR to_jsonb(OLD) - ARRAY['voided_at', 'void_reason']
            <> to_jsonb(NEW) - ARRAY['voided_at', 'void_reason']
    )
    EXECUTE FUNCTION remit_refuse('a grant may only be made void, once and for good');
