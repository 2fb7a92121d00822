"""Usage: the answers of meters."""
