"""What one session remembers."""
