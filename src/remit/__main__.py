"""Let `python -m remit` be the command line."""

from remit.cli.main import main

main()
