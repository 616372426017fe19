-- Takes back what 0007_identity.sql made; what it did to invitations goes with their table.

DROP TRIGGER remit_principal_ended_now ON principals;
DROP TRIGGER remit_token_ended_now ON api_tokens;
DROP TRIGGER remit_token_revocation ON api_tokens;
