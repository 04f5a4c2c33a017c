"""The processes that carry runs out, and the line in which they wait for a slot."""
