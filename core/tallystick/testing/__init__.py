"""Fakes of what the engine is given (time, randomness), public so that plugins and embedders test the way we do."""

from .manual_clock import ManualClock
from .seeded_entropy import SeededEntropy

__all__ = ["ManualClock", "SeededEntropy"]
