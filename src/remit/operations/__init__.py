"""What Remit does: one verb a function, one transaction each.

- `gate`: propose directives, and let the gate decide
- `approvals`: vote on a request, and let time run out on it
- `runs`: consume a grant, begin an attempt, end a run
- `cancellation`: stop a directive wherever it stands
- `evidence`: read what happened
- `policies`: the policy in force, read again when its file changes

Called by `remit.control` for people and agents, and by the activities of `remit.workflows`.
"""
