"""A network: how it is built, what it answers, and why it answers so."""
