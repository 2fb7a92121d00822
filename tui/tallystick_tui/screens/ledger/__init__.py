"""The hash chain: head, blocks, verify."""
