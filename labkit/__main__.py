"""`python -m labkit`."""

from labkit.cli import main

main(prog_name="labkit")
