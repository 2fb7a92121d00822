"""The nine sections, a folder each."""
