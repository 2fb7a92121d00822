"""Blocks of a log that needs no engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.log.block import BlockKind, seal_block
from tallystick.log_head import EMPTY_HEAD, LogHead


@dataclass
class GrowingLog:
    """A log in memory, some blocks of which are handed over at once."""

    blocks_at_once: int = 3
    head: LogHead = EMPTY_HEAD
    blocks: list[bytes] = field(default_factory=list[bytes])

    def grow(self, *payloads: bytes) -> None:
        """Append a block for each payload, with as many records as it has bytes."""
        for payload in payloads:
            block, stored = seal_block(
                number=self.head.block + 1,
                kind=BlockKind.EVENTS,
                position=Position(self.head.position + 1),
                record_count=max(len(payload), 1),
                written_at=Instant(len(self.blocks)),
                previous_hash=self.head.hash,
                payload=payload,
            )
            self.head = LogHead(position=block.last_position, block=block.number, hash=block.hash)
            self.blocks.append(stored)

    def log_head(self) -> LogHead:
        return self.head

    def stored_blocks(self, *, after: int) -> list[bytes]:
        return self.blocks[after : after + self.blocks_at_once]
