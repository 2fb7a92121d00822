"""What happens now: events a second, today's usage, open signals, health."""
