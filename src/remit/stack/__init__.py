"""The embedded services: a real Postgres and a real Temporal, for one machine, on loopback only.

Where things are:
    DataDir, LAYOUT_VERSION -> layout
    EmbeddedPostgres -> postgres
    settle_database -> ownership
    database_owner, grant_passage -> system_user
    EmbeddedTemporal -> temporal
    WorkerProcess, WorkerKind -> worker
    Workers -> workers
    Stack -> supervisor
    StackOptions, StackEvent -> options
    StackInfo -> state
    find_stack, wait_for_stack, resolve_services, Services -> discovery
    ProcessSlot, Roster -> processes
    process_mark, end_process -> marks
    the script that outlives a killed supervisor -> guardian
"""
