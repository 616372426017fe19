"""What workflows do. Each activity is one operation, or the call of one module.

- `approval_activities`: pass the gate, let requests expire
- `execution_activities`: consume the grant, call the module, end the run
- `dispatch_activities`: find what was left behind, and ended runs that nobody told of
- `llm_activities`: ask a language model; served by `llm_worker` alone
"""
