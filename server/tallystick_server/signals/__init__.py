"""Signals: defined, tried on the past, looked at, snoozed."""
