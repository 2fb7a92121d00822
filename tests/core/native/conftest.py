"""What tests of the compiled library share."""

from __future__ import annotations

import pytest

from tallystick.native.library import LOADED


@pytest.fixture
def native_library() -> None:
    """Fail where the library is not there: a machine that runs the tests has a compiler."""
    assert LOADED.library is not None, LOADED.absence
