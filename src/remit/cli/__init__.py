"""The command line: the door for people and scripts.

- `main`: the program: every command, and what becomes of errors
- `options`: options that several commands share
- `output`: tables, lines and JSON, for a terminal or a pipe
- `failures`: an error as one line and an exit code
- `services`: the database and the control that a command works with
- `intake`: directives from flags, JSON and JSONL
- `content`: the options that say what is to be done
- `verdict`: what the gate said, in words
- `waiting`: the wait for a directive's end
- `propose`: `propose`, `submit`, `retry`
- `votes`: `approve`, `reject`
- `cancel`: `cancel`
- `listing`: `list`
- `timeline`: one directive's record as the six boxes of the loop (pure)
- `show`: `show`
- `watch`: `watch`
- `catalog`: `modules`, `policy`, `schema`
- `up`: `up`, the embedded stack
- `database`: `db upgrade`
- `worker`: `worker`
- `demo`: `demo`
"""
