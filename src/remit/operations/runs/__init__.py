"""Runs: from a consumed grant to an end.

- consume grants and create runs -> `starts`
- start a run, or take up one that was left -> `beginning`
- end a run with what its module returned -> `results`
- what is written when a run ends -> `ends`
- stop a directive wherever it stands -> `cancellation`
- a person settles a run that is in doubt -> `reconciliation`
- what the workers can execute -> `workers`
"""
