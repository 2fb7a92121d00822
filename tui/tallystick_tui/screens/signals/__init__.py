"""Signals, channels and deliveries."""
