"""The engine: one writer, the log, and the projections that follow it."""

from .engine import Engine
from .offline import back_up_directory, rebuild_directory, verify_directory
from .restore import restore_directory

__all__ = ["Engine", "back_up_directory", "rebuild_directory", "restore_directory", "verify_directory"]
