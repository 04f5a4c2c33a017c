"""The Train page's parts: the settings, the run as it goes, and remarks on it."""
