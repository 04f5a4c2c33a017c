"""What a run is and was: its folder, its events, its state, and all runs together."""
