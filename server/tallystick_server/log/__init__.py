"""The hash chain, for auditors."""
