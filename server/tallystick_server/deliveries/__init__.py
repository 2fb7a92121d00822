"""Deliveries: messages on their way, and those that arrived or did not."""
