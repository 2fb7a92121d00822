"""States that a plugin made are found again by the version that made them, and by no other."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.meter import Meter
from tallystick.partials.folding import Folding, folding_of
from tallystick.usage.aggregators import installed_plugins
from tests.core.partials.conftest import BY_DAY

PERCENTILE = Meter(key="m", name="M", event_type="call", aggregation="percentile", options={"p": 50})


def names_of(folding: Folding) -> tuple[bytes, bytes]:
    return folding.digest, folding.partial_digest(b"segment", np.array([0, 1], np.int64), np.array([], np.int64))


def test_another_version_of_the_package_or_of_its_state_finds_none_of_the_states_kept_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folding, _ = folding_of(PERCENTILE, BY_DAY)
    plugin = installed_plugins().named("percentile")
    assert plugin is not None
    seen = [names_of(folding)]
    assert names_of(folding) == seen[0]
    with monkeypatch.context() as patched:
        patched.setattr(plugin.origin, "version", "99.0")
        seen.append(names_of(folding))
    monkeypatch.setattr(plugin.load().plugin.state_type, "version", 99)
    seen.append(names_of(folding))
    assert len({digest for digest, _ in seen}) == len({partial for _, partial in seen}) == 3
