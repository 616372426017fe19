"""Box 5, evidence: the append-only log of who did what to a directive, and when.

- `chain`: the hash that ties each event to the one before it (pure)
- `verification`: what is wrong with the log, and in which row first (pure)
- `event_rules`: what a log can say, and in which order (pure)
- `checkpoint`: a signed note of every chain's head, kept away from the database (pure)
- `repository`: appends and reads events
- `claims`, `execution_claims`: what must hold between rows and events (pure)
- `claims_repository`: asks all of it, both ways
- `run_ends`: whether runs and attempts ended as was signed (pure)
- `scan_repository`: reads every row there is, to verify it
- `identity_events`: what the log tells of people and tokens, signed and verified (pure)
- `identity_rows`: people and tokens, held against what the log tells of them (pure)
- `overview`, `overview_repository`: how the loop fares
- `bundle`: all that is known of one directive, in one signed file
"""
