"""Box 5, evidence: the append-only log of who did what to a directive, and when.

- `chain`: the hash that ties each event to the one before it (pure)
- `repository`: appends and reads events
- `merkle`: one hash that stands for a whole list (pure)
- `checkpoint`: a signed note of every chain's head, to be kept away from the database (pure)
- `verification`: what is wrong with the log, and in which row first (pure)
- `scan_repository`: reads everything there is, to verify it
- `identity_events`: what the log tells of people and tokens, signed and verified (pure)
- `identity_rows`: people and tokens, held against what the log tells of them (pure)
- `identity_repository`: who was changed with which token
- `overview`: what an overview of the loop is made of
- `overview_repository`: reads it
- `watch_repository`: reads some chains whole
- `bundle`: all that is known of one directive, in one signed file (pure)
- `bundle_checks`: what can be found out about such a file (pure)
- `bundle_consent`, `bundle_runs`, `bundle_facts`: its checks of consent, its checks of action,
  and what they share (pure)
"""
