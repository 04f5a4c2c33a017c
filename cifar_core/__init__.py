"""The engine: data, network, training, runs and predictions, without a web framework."""
