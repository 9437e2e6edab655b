"""`python -m molloop`."""

from molloop.cli import main

main()
