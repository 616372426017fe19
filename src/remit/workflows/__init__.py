"""The only Temporal code: durable waiting and durable execution.

- `messages`: what workflows and activities take and return
- `execution`: `ExecutionWorkflow`, one directive's run
- `approval`: `ApprovalWorkflow`, one directive's wait for people
- `dispatcher`: `DispatcherWorkflow`, the sweep for what a crash left behind
- `activities`: everything the workflows do
- `client`: how the rest of Remit starts and wakes workflows
- `worker`: the process that acts, and serves its two queues
- `llm_worker`: the process that asks language models, and serves a queue of its own
- `sealing`: keeps what was said out of Temporal's histories
"""
