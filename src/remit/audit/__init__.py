"""Box 5, evidence: the append-only log of who did what to a directive, and when.

- `chain`: the hash that ties each event to the one before it (pure)
- `repository`: appends and reads events
- `merkle`: one hash that stands for a whole list (pure)
- `checkpoint`: a signed note of every chain's head, to be kept away from the database (pure)
- `verification`: what is wrong with the log, and in which row first (pure)
- `history`: whether each log goes the way of a directive (pure)
- `claims`, `evidence_claims`, `execution_claims`: what must hold between rows and events (pure)
- `claims_repository`: asks all of it, both ways
- `run_ends`: whether runs and attempts ended as was signed (pure)
- `scan_repository`, `runs_repository`: read everything there is, to verify it
- `identity_events`: what the log tells of people and tokens, signed and verified (pure)
- `identity_told`: what such events add up to (pure)
- `identity_rows`: people and tokens, held against what the log tells of them (pure)
- `identity_repository`: who was changed with which token
- `overview`: what an overview of the loop is made of
- `overview_repository`: reads it
- `watch_repository`: reads some chains whole
- `inclusion`: that a checkpoint covers one log, proved without the others (pure)
- `bundle`: all that is known of one directive, in one signed file (pure)
- `bundle_records`, `bundle_forms`: what such a file says, and in which formats (pure)
- `bundle_checks`: what can be found out about it (pure); `bundle_limits`: what cannot
- `bundle_artifacts`, `bundle_consent`, `bundle_runs`, `bundle_budget`: whether its rows agree
  (pure)
- `bundle_events`, `bundle_order`, `bundle_times`: whether its log can be that of a directive (pure)
- `bundle_installation`, `bundle_issuer`, `bundle_answers`, `bundle_voters`, `bundle_attempts`:
  whether what was signed bears it out (pure)
- `bundle_checkpoint`: whether a checkpoint does (pure)
- `bundle_facts`, `bundle_said`, `bundle_people`: what its checks share (pure)
- `evidence_repository`: reads what was signed
"""
