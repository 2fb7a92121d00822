"""Questions that are answered before anything else; each has a typed result."""
