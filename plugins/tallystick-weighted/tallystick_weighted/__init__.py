"""Sums weighted by a price table for Tallystick meters: see `weighted`."""

from .weighted import Weighted, WeightedOptions

__all__ = ["Weighted", "WeightedOptions"]
