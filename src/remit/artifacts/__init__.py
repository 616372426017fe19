"""Box 5, evidence: immutable records of what was decided, done and produced.

- `types`: the closed list of artifact types, and artifact addresses
- `metadata`: what the metadata of each type holds
- `values`: the forms of the values in it
- `schemas`: the JSON Schema of each type
- `statements`: what is signed of evidence that somebody files
- `repository`: all SQL of artifacts
- `usage_repository`: what language models cost runs, from the evidence of their calls
- `contents`: where content goes by its size, and how it is read back, verified
- `store`: the interface of an object store, and its rules
- `checked_store`: what every store does the same
- `noop`: the store that forgets
- `filesystem`: the store of one machine
- `r2`: the store of a bucket: Cloudflare R2, or any S3
- `r2_client`: how that bucket is spoken to
- `config`: which store is used
"""
