"""What a directive costs, measured beside the bare floor that Remit stands on.

Run as `python -m bench`, or `make bench`. From the checkout only: it is no part of the package.

- `figures`: percentiles, spreads, ratios paired round by round (pure)
- `measurement`: the values that everything else hands on (pure)
- `targets`: what is to be reached, and whether it was (pure)
- `bare`: the bare workflow, and the worker that runs it
- `loads`: what is measured
- `ground`: one Postgres, one Temporal and the workers that the loads stand on
- `meter`: one load under the clock, with the processor's time of each process
- `counts`: transactions, statements, workflow tasks and activities, counted
- `startup`: from a bare process to the first completed directive
- `recall`: memory's search beside an exact scan; `recall_texts`, `recall_clusters`: the vectors;
  `recall_rows`: in and out of the real tables
- `session`: everything above, in turn
- `machine`: what kind of machine this is
- `tables`: the figures as tables
- `page`: the measured part of docs/performance.md
- `progress`: what is shown meanwhile
"""
