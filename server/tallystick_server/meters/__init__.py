"""Meters: named questions over events."""
