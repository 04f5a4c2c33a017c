"""What a run's figures say: accuracy and confusions, confidence, chance, a verdict."""
