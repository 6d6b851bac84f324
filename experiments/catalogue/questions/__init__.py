"""What readers of the paper ask, an experiment each."""
