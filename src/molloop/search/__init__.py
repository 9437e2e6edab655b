"""A model becomes a choice of molecules."""
