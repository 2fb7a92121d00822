"""Figures, times and ages as people read them. Pure functions; time and zone are passed in."""
