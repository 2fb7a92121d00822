"""What a client was told, as it wrote it down: the other side of every comparison after a crash."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Acknowledged:
    """Batches and voids that were answered well."""

    batches: frozenset[int]
    voids: frozenset[int]


def acknowledged(told: bytes) -> Acknowledged:
    """Return what the lines of a witness file say; a last line that was cut says nothing."""
    found: dict[str, set[int]] = {"b": set(), "v": set()}
    for line in told.decode().split("\n")[:-1]:
        kind, number = line.split(" ")
        found[kind].add(int(number))
    return Acknowledged(frozenset(found["b"]), frozenset(found["v"]))
