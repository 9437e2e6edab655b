"""Processes that a molecule may crash: a guard outlives them, and answers for each."""
