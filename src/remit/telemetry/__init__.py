"""What Remit says about its own work: traces, metrics and log lines. Written, and never read back.

No outcome can depend on it, and nothing here raises into the caller. Until `setup.start` is called,
every call costs microseconds and loads no SDK.

- `tracing`, `metrics`, `logging`: what every layer calls
- `rows`: reads database rows one by one, counting those that nobody can read
- `setup`: turns telemetry on for a process, and off again
- `state`: what is on, and what was lost
- `ids`: from a directive's id to its trace id and its root span's id (pure)
- `scrubbing`: which attributes may leave the process, and how long they may be (pure)
- `metric_definitions`: every metric, with its bounded labels (pure)
- `sdk_tracing`, `sdk_metrics`: both on the OpenTelemetry SDK
- `exporters`: to a collector over HTTP, and to files of the embedded stack
- `prometheus`: the metrics, for Prometheus to fetch
- `log_format`: the structlog processors that make a log line
- `span_reader`: the files of spans, read; only for doors
"""
