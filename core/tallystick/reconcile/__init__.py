"""Reconciling: a customer's own list of events beside the log, event by event. How a dispute is settled is told in `docs/reconcile.md`."""
