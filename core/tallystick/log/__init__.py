"""The log: the one truth, of which everything else is a fold. Format in `docs/log-format.md`."""
