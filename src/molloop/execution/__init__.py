"""Where tasks run; the only folder that imports Parsl."""
