"""The Compare page's parts: its table, its curves, and a run to take along."""
