"""`python -m royaltycli` is `royalty`."""

from royaltycli.cli import main

main()
