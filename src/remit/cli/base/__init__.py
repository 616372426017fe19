"""What commands and views run on: options, streams, output, failures, tokens, the database."""
