"""Reconciling: a customer's own list beside the log."""
