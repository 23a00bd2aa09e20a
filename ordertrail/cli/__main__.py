"""`python -m ordertrail.cli` is the `ordertrail` command."""

from ordertrail.cli.main import main

main()
