"""Rejected events: by reason, corrected and sent again."""
