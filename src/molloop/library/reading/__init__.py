"""Files of molecules: looked at, understood as a format, and read as a stream of entries."""
