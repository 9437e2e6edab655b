"""The run directory and its SQLite database: written once, read by many, followed."""
