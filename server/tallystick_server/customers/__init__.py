"""Customers: whose usage is counted."""
