"""Usage metering: an append-only, hash-chained log of events, deduplicated at the door, and exact questions over it.

Importable alone: knows nothing of HTTP, terminals or clocks it was not given. Start at `tallystick.engine.Engine`.
"""
