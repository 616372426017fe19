"""Runs: from a consumed grant to an end.

- start a run, or take up one that was left -> `beginning`
- consume grants and create runs -> `starts`
- what becomes of a run that may not be begun again -> `unbegun`
- end a run with what its module returned -> `results`
- what is written when a run ends -> `endings`
- stop a directive wherever it stands -> `cancellation`
- a person settles a run that is in doubt -> `reconciliation`
- what the workers can execute -> `modules`
"""
