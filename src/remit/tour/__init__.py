"""The tour: directives driven through the real loop, and what must come of each.

Where things are:
    SCRIPT, POLICY, shipped, seconds_since_process_start -> startup
    Scene, Act, Outcome, load_script, principals_of -> script
    LedgerModule, read_ledger -> ledger
    InventoryModule -> inventory
    play -> session
    Board, Moment -> progress
    Tour -> runner
    Played, Proof, TourReport, prove -> report

Called by `remit demo`. The script that it runs is `examples/tour.jsonl`, under the policy
`examples/tour-policy.toml`; a wheel carries both beside this package's modules.
"""
