"""Box 2, the gate: a pure function from an intent and a policy to a decision.

Verdicts, results, and what the gate sees -> types
The policy file and its digest -> config
The policy that is used when none is named -> default.toml
What directives may cost together -> limits
The policies, and how they combine -> engine
What makes a file refused -> validation
What its author should look at again -> lint
What would happen under a policy -> preview
"""
