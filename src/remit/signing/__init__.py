"""What makes a decision provable: signatures that no role of the database can write.

The envelope, and what exactly is signed (pure) -> dsse
Ed25519 keys as PEM text, and their names (pure) -> pem
Files that only their owner may change -> files
The keyring: loading, making and rotating keys; signing and verifying -> keys
The key folder of a host that only executes -> worker_keys
The keys that seal what Temporal keeps of calls of language models -> sealing
What rows say, signed, and verified against the row -> statements
"""
