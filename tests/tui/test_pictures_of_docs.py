"""The documentation's pictures are what the screens show, to the byte where runs do not differ. `make screenshots` takes them anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.appliance import Appliance

from .pictures.filling import fill_for_pictures
from .pictures.scenes import SCENES, Scene
from .pictures.svg import kept
from .pictures.taken import FOLDER, fixed_appliance, taken

FILLED_BYTES_MIN = 80_000


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with fixed_appliance(tmp_path_factory.mktemp("pictured")) as appliance:
        fill_for_pictures(appliance)
        yield appliance


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_a_picture_is_as_the_screen_is(pictured: Appliance, scene: Scene) -> None:
    picture = asyncio.run(taken(pictured, scene))
    if not scene.is_steady:
        # What a scene waits for is there: it was filled.
        assert picture.startswith("<svg")
        assert len(picture) > FILLED_BYTES_MIN
        return
    assert picture == (FOLDER / f"{scene.name}.svg").read_text(), "look at the screen, then run `make screenshots`"


def test_nothing_is_left_of_a_font_that_would_be_fetched() -> None:
    given = "<style>\n\n  @font-face {\n  src: url(https://example.com/a);\n }\n.m { font-family: Fira Code, monospace; }\n</style>"
    own = kept(given)
    assert "font-face" not in own
    assert "https" not in own
    assert '"Fira Code", ui-monospace' in own
    assert kept(own) == own
