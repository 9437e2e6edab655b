"""A configuration becomes what it names: library, store, engine, driver, reports."""
