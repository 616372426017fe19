"""Evidence: what happened, and whether it still is what was signed.

- read directives with their record -> `records`
- what a directive still needs -> `explanation`
- how the loop fares -> `overview`
- file and read artifacts -> `artifacts`
- one directive in one signed file -> `bundles`
- the whole log, held against rows and signatures -> `auditing`
- what events say -> `audited_events`
- what rows say -> `audited_rows`
- a few chains at a time, for the gauge -> `chain_watch`
- ended runs, for those who observe -> `evaluations`
- contents that are lost, or that nothing refers to -> `upkeep`
- what may be typed in place of an identifier -> `identifiers`
"""
