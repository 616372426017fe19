"""Commands: each module is a verb, or a group of verbs, of `remit`.

Called by `remit.cli.main` alone. What a command prints stands in `remit.cli.views`.
"""
