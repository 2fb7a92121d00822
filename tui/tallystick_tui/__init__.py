"""The operator's dashboard in a terminal.

Talks HTTP alone, so that it runs on a laptop against an appliance elsewhere; it imports neither the server nor a store.
"""
