"""The gate and its votes.

- propose directives, or submit one again -> `proposals`
- what passes the gate again -> `retries`
- what a decision leaves behind -> `decisions`
- grants, made, signed and voided -> `grants`
- which version of a module, and which worker -> `routing`
- what the limits have left -> `spending`
- votes, and requests that expire -> `approvals`
- which votes count, and who could answer a request -> `ballots`
- what a decision is made with -> `authority`
- the policy in force, and its confirmation -> `policies`
- secrets, refused -> `disclosure`
"""
