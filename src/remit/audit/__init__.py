"""Box 5, evidence: the append-only log of who did what to a directive, and when.

- `chain`: the hash that ties each event to the one before it (pure)
- `repository`: appends and reads events
"""
