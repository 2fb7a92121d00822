"""Meters: list, form with live preview."""
