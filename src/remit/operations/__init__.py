"""What Remit does: one verb a function, one transaction each.

- `gate`: propose directives, and let the gate decide
- `approvals`: vote on a request, and let time run out on it
- `decisions`: what a decision of the gate leaves behind
- `starts`: consume grants and create runs
- `runs`: start one run, or take up one that a crash left
- `results`: end runs with what their modules returned
- `cancellation`: stop a directive wherever it stands
- `evidence`: read what happened
- `policies`: the policy in force, read again when its file changes

Called by `remit.control` for people and agents, and by the activities of `remit.workflows`.
"""
