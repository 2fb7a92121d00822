"""Partials: states of segments, folded once and merged for each question. See `docs/partials.md`."""
