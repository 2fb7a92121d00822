"""Copies of the log, and data directories made from them."""
