"""The command line: one file a command; `main` assembles them. Each works over HTTP, but for those that say they read a directory."""
