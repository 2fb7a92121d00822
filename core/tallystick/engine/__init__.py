"""The engine: one writer, the log, and the projections that follow it."""

from .engine import Engine
from .offline import rebuild_directory, verify_directory
from .restore import restore_directory

__all__ = ["Engine", "rebuild_directory", "restore_directory", "verify_directory"]
