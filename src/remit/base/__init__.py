"""What everything stands on; pure.

- canonical JSON, RFC 8785, and digests -> `remit.base.canonical`
- shapes and limits of JSON -> `remit.base.json_types`
- amounts of US dollars -> `remit.base.money`
- lengths of time -> `remit.base.durations`
- the shape of a lifecycle -> `remit.base.lifecycle`
- phrases that are safe to show -> `remit.base.wording`
- reports of progress -> `remit.base.progress`
"""
