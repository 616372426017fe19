"""What Remit does: one verb a function, one transaction each.

- propose, decide, vote, void -> `gate`
- start, end, cancel and reconcile runs -> `runs`
- principals, tokens, the installation -> `identities`
- read, export, audit and keep evidence -> `evidence`
- read and write memory, ask a language model -> `recall`

Called by `remit.control` for people and agents, and by the activities of `remit.workflows`.
"""
