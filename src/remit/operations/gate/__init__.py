"""The gate and its votes.

- propose directives, or submit one again -> `proposals`
- what passes the gate again -> `retries`
- what a decision leaves behind -> `decisions`
- grants, made, signed and voided -> `grants`
- which version of a module, and which worker -> `routing`
- what the limits have left -> `spending`
- votes, and requests that expire -> `approvals`
- which votes count -> `ballots`
- who could answer a request -> `answering`
- what a decision is made with -> `authority`
- the policy in force -> `policies`
- policies that an operator confirmed -> `confirmations`
- secrets, refused -> `disclosure`
- what telemetry is told -> `telling`
"""
