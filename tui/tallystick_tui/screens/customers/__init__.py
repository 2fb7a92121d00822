"""Customers: list, and everything about one."""
