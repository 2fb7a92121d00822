"""Statements: what one customer used in a range bound to the log by a Merkle root, checked without it. Format in `docs/statements.md`."""
