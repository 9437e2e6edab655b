"""One page on a run, live or frozen."""
