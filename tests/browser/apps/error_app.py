"""A script that fails."""

raise RuntimeError("what only the console may tell")
