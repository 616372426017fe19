"""Box 5, evidence: immutable records of what was decided, done and produced.

- `types`: artifacts and their addresses
- `metadata`: what the metadata of each type holds
- `values`: the forms of the values in it
- `schemas`: the JSON Schema of each type
- `statements`: what is signed of evidence that somebody files
- `repository`: all SQL of artifacts, and of what language models cost runs
- `contents`: where content goes by its size, and how it is read back, verified
- `store`: the interface of an object store, and its rules
- `noop`: the store that forgets
- `filesystem`: the store of one machine
- `r2`: the store of a bucket: Cloudflare R2, or any S3
- `config`: which store is used
"""
