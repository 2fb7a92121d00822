"""Percentiles for Tallystick meters: see `percentile`."""

from .percentile import Percentile, PercentileOptions

__all__ = ["Percentile", "PercentileOptions"]
