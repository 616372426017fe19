"""What workflows do. Each activity is one operation, or the call of one module.

- `approval_activities`: pass the gate, let requests expire
- `execution_activities`: consume the grant, end the run, find what was left behind
- `handover_activities`: the same, for a worker that has another version of the module
- `module_activities`: call the module of a run
- `uncalled`: tell of runs that ended although no module returned; called by the sweep
- `llm_activities`: ask a language model; served by the worker that thinks, and by no other
"""
