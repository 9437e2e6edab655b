"""What people look at: tables, figures, the screen. Reads the store, changes nothing."""
