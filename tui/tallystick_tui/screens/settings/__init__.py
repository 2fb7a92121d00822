"""Keys, connections, theme."""
