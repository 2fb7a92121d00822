"""Signals: what is watched, what was noticed, and the messages that say so. Plain values and pure decisions; nothing here writes."""
