"""The engine: one writer, the log, and the projections that follow it."""
