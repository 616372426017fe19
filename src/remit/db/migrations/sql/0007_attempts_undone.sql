-- Takes back what 0007_attempts.sql made. Entries of what was not promised stay.

DROP TRIGGER remit_keep_budget ON budget_entries;
DROP TRIGGER remit_keep_unpromised ON budget_entries;
DROP TRIGGER remit_open_unpromised ON budget_entries;
CREATE TRIGGER remit_keep_budget AFTER INSERT ON budget_entries FOR EACH ROW
    EXECUTE FUNCTION remit_keep_budget();
ALTER TABLE budget_entries ENABLE ALWAYS TRIGGER remit_keep_budget;
DROP FUNCTION remit_keep_unpromised();
DROP FUNCTION remit_open_unpromised();

DROP TRIGGER remit_directive_doubt_said ON directives;
DROP FUNCTION remit_require_doubt();

DROP TRIGGER remit_attempt_begins ON execution_attempts;
DROP TRIGGER remit_attempt_alone ON execution_attempts;
DROP FUNCTION remit_check_attempt();
