"""The dashboard in a browser of the same machine."""
