"""Bulk loading: files become records, records batches, batches requests. Everything streams; nothing is counted twice."""
