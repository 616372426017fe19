"""What Remit says about its own work: traces, metrics and log lines. Written, and never read back.

Nothing here is called to learn anything, so no outcome can depend on it, and nothing here raises
into the caller. Until `running.start` is called, every call costs microseconds and loads no SDK.

- `tracing`: spans; a directive's trace id is its own id
- `metrics`: counters and histograms
- `logging`: one JSON line an event
- `running`: turns all of it on for a process, and off again
- `ids`: from a directive's id to its trace id and its root span's id (pure)
- `scrubbing`: which attributes may leave the process, and how long they may be (pure)
- `active`: what is turned on in this process
- `losses`: what was lost on the way, counted
- `recorder`: spans, on the OpenTelemetry SDK
- `span_queue`: hands ended spans to an exporter, in a thread of its own
- `otlp`: to a collector, over HTTP
- `span_files`: to files of the embedded stack
- `kept`: those files, read; only for doors
- `catalog`: every metric, with its labels
- `words`: label values, bounded (pure)
- `instruments`: the metrics, on the OpenTelemetry SDK
- `prometheus`: the metrics, for Prometheus to fetch
- `log_lines`: the steps that make a log line
"""
