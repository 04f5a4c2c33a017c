"""The Data page's parts: where images come from, and what each class has in common."""
