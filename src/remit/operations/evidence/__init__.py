"""Evidence: what happened, and whether it still is what was signed.

- read directives with their record, ended runs, identifiers -> `records`
- what a directive still needs -> `explanation`
- how the loop fares, and a watch over the chains -> `overview`
- file and read artifacts -> `artifacts`
- contents that are lost, or that nothing refers to -> `upkeep`
- one directive in one signed file -> `bundles`
- the whole log, held against rows and signatures -> `auditing`
- what rows and events say, held against what was signed -> `signatures`
"""
