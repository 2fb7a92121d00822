"""Allowance: what a customer has left of its limits."""
