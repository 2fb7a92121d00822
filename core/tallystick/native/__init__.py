"""Columns of events handled in C: our own small library (the `.c` files beside this), compiled when Tallystick is installed.

`library` loads it. Without it everything works, only slower; `docs/native.md` says what it does and why it is as it is.
"""
