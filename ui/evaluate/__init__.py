"""The Evaluate page's parts: the verdict, how sure it is, and what is taken for what."""
