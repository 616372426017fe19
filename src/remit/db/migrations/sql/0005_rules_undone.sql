-- The rules go with their functions.

DROP FUNCTION
    remit_refuse(), remit_require_event(), remit_check_vote_open(), remit_check_voter(),
    remit_check_vote_not_own(), remit_check_grant(), remit_check_consent(), remit_check_unasked(),
    remit_check_run()
    CASCADE;

ALTER TABLE events ENABLE TRIGGER remit_chain_event;

CREATE OR REPLACE FUNCTION remit_chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
BEGIN
    IF NEW.directive_id = '00000000-0000-0000-0000-000000000000' THEN
        PERFORM pg_advisory_xact_lock(7239113407);
    END IF;
    SELECT seq, hash INTO head FROM events
        WHERE directive_id = NEW.directive_id ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(head.seq, 0) + 1;
    NEW.prev_hash := coalesce(head.hash, 'genesis');
    NEW.occurred_at := clock_timestamp();
    NEW.hash := 'sha256:' || encode(sha256(convert_to(jsonb_build_array(
        NEW.prev_hash, NEW.directive_id, NEW.seq, NEW.type, NEW.actor,
        to_char(NEW.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.data
    )::text, 'UTF8')), 'hex');
    RETURN NEW;
END
$$;
