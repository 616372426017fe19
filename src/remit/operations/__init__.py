"""What Remit does: one verb a function, one transaction each.

- `gate`: propose directives, and let the gate decide
- `approvals`: vote on a request, and let time run out on it
- `ballots`: which votes count, and who casts them
- `authority`: what a decision is made with: the policy in force, and keys
- `decisions`: what a decision of the gate leaves behind
- `disclosure`: keeps secrets out of what is kept word for word
- `granting`: a grant in the making, and its signature
- `spending`: what the limits on spending have left
- `starts`: consume grants and create runs
- `runs`: start one run, or take up one that a crash left
- `results`: end runs with what their modules returned
- `cancellation`: stop a directive wherever it stands
- `evidence`: read what happened
- `evaluations`: read ended runs, for those who observe
- `artifacts`: file evidence by hand, and read evidence back, verified
- `progress`: how far something is that takes long
- `upkeep`: whether everything kept is still what was stored, and what nothing refers to
- `memories`: write what a completed run taught, or what an admin notes
- `recall`: read memory in somebody's name, on record
- `thinking`: whether a model may be asked for a directive, and the evidence that it was
- `identifiers`: what may be typed in place of a whole identifier
- `overview`: how the loop fares, for gauges and for `remit top`
- `chain_watch`: a few chains at a time, again and again, for the gauge
- `telling`: what operations tell telemetry
- `explanation`: what a directive still needs, and who could give it
- `auditing`: walk every chain, and take checkpoints
- `bundles`: one directive's evidence in one file
- `authentication`: whose token it is that somebody shows
- `identity`: who is known, what each is trusted with, and who is given a token
- `principals`: making principals known
- `minting`: tokens in the making
- `invitations`: codes of which people make tokens themselves
- `revocation`: a token ends, and what was done with a stolen one is undone
- `voiding`: what a directive was approved by does not hold, and it is blocked
- `catalog`: what the workers can execute
- `policies`: the policy in force, read again when its file changes

Called by `remit.control` for people and agents, and by the activities of `remit.workflows`.
"""
