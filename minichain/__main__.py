"""`python -m minichain` is the command line, where the command itself is not on the path."""

from __future__ import annotations

from minichain.cli import main

main()
