"""What commands and views run on: options, streams, output, failures, tokens, the database.

A `RemitError` that is raised here ends the command; `remit.cli.main` prints it.
"""
