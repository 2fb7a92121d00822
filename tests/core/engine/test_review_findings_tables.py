"""Reads while the log could not be opened again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.errors import StoreFailed
from tallystick.log.tables import Tables


def test_a_read_of_a_log_that_cannot_be_opened_again_yet_is_refused_and_not_called_damage(tmp_path: Path) -> None:
    tables = Tables(tmp_path, map_bytes_max=1 << 20)
    with tables.write() as txn:
        tables.put(txn, b"manifest", b"key", b"value")
    (tmp_path / "data.mdb").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreFailed):
        tables.reopen()
    with pytest.raises(StoreFailed):
        tables.get(b"manifest", b"key")
    (tmp_path / "elsewhere").rename(tmp_path / "data.mdb")
    tables.reopen()
    assert tables.get(b"manifest", b"key") == b"value"
    tables.close()
    with pytest.raises(StoreFailed):
        tables.get(b"manifest", b"key")
