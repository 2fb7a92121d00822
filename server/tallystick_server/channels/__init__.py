"""Channels: where messages about signals go."""
