"""Box 5, evidence: immutable records of what was decided, done and produced.

- `types`: the closed list of artifact types, and artifact addresses
- `repository`: all SQL of artifacts
"""
