"""Processes that an item of a task may crash: a guard outlives them, and answers for each."""
