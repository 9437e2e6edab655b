"""The same loop over a table of known values: nothing is simulated, time is a number."""
