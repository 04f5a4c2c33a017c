"""The Model page's parts: what its layers compute, by hand."""
