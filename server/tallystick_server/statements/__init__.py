"""Statements: what a customer used, bound to the log, and the proofs of single events."""
