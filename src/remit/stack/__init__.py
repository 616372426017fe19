"""The embedded services: a real Postgres and a real Temporal, for one machine, on loopback only.

Where things are:
    DataDir, LAYOUT_VERSION -> layout
    EmbeddedPostgres -> postgres
    settle_database, database_owner, grant_passage -> ownership
    EmbeddedTemporal -> temporal
    Workers, WorkerProcess, WorkerKind -> worker
    Stack -> supervisor
    StackOptions, StackEvent -> options
    StackInfo, find_stack, wait_for_stack, resolve_services, Services -> discovery
    ProcessSlot, Roster -> processes
    process_mark, end_process -> process_identity
    the script that outlives a killed supervisor -> guardian
"""
