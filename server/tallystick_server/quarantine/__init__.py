"""Quarantine: events that were refused, to be looked at and sent again."""
