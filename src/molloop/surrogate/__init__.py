"""Outcomes become a model: fit on features and values, predict mean and standard deviation."""
