"""The pictures of the documentation: `make screenshots` writes them anew (`docs/pictures`)."""
