"""`tallystick tui --serve`: the dashboard for a browser of this machine, and for nobody else.

The browser here is what its protocol needs: a WebSocket, cookies, and the headers that browsers send.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest

from tests.appliance import Appliance

_ADDRESS = re.compile(r"(http://127\.0\.0\.1:(\d+))/\?token=(\S+)")


class Served:
    """A `tallystick tui --serve` that runs, and a client that has been let in."""

    def __init__(self, process: subprocess.Popen[str], words: str, key: str) -> None:
        found = _ADDRESS.search(words)
        assert found is not None, words
        self.process, self.key = process, key
        self.url, self.port, self.token = found[1], int(found[2]), found[3]

    @property
    def cookies(self) -> dict[str, str]:
        return {f"tallystick-{self.port}": self.token}

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, cookies=self.cookies, trust_env=False)

    def family(self) -> list[int]:
        """Return the ids of the processes behind the tabs."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def command_lines(self) -> list[str]:
        return [Path(f"/proc/{child}/cmdline").read_text() for child in self.family()]

    def has_key_in_an_environment(self) -> bool:
        return any(self.key.encode() in Path(f"/proc/{child}/environ").read_bytes() for child in self.family())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with Appliance(folder / "appliance") as appliance:
        key = appliance.new_key("read")
        environment = dict(os.environ) | {"TALLYSTICK_CONFIG_HOME": str(folder / "config"), "TALLYSTICK_API_KEY": key}
        command = [sys.executable, "-m", "tallystick_server", "tui", "--serve", "--port", "0", "--url", appliance.url]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
        ) as process:
            try:
                assert process.stdout is not None
                yield Served(process, process.stdout.readline(), key)
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=30) == 0
            finally:
                process.kill()


def within(is_so: Callable[[], bool], *, seconds: float = 30.0) -> bool:
    """Wait for something outside of this process."""
    end_s = time.monotonic() + seconds
    while not (done := is_so()) and time.monotonic() < end_s:
        time.sleep(0.05)
    return done


def test_without_the_token_nothing_is_answered(served: Served) -> None:
    for path in ("/", "/ws", "/page.js", "/static/js/textual.js", "/?token=wrong", "/download/x"):
        assert httpx.get(served.url + path, trust_env=False).status_code == 403
    assert "with its token" in httpx.get(served.url + "/", trust_env=False).text


def test_the_printed_address_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(served: Served) -> None:
    first = httpx.get(f"{served.url}/?token={served.token}", trust_env=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_another_name_for_this_machine_and_another_page_are_refused(served: Served) -> None:
    assert served.get("/", Host="evil.example.com").status_code == 403
    assert served.get("/", Host=f"evil.example.com:{served.port}").status_code == 403
    assert served.get("/ws", Origin="https://evil.example.com").status_code == 403
    assert served.get("/ws", Origin=f"http://127.0.0.1:{served.port + 1}").status_code == 403
    assert served.get("/", Host=f"localhost:{served.port}").status_code == 200


def test_the_page_has_no_key_and_fetches_nothing_from_elsewhere(served: Served) -> None:
    page = served.get("/")
    assert page.status_code == 200
    assert served.key not in page.text
    assert f"ws://127.0.0.1:{served.port}/ws" in page.text
    assert "https://" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    for link in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert served.get(link).status_code == 200, link
    assert served.get("/page.html").status_code == 404


def test_it_listens_on_this_machine_alone(served: Served) -> None:
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()
        if f":{served.port:04X} " in line.split()[1] + " "
    ]
    assert listening == [f"0100007F:{served.port:04X}"]


def test_a_tab_shows_the_dashboard_in_a_process_that_ends_with_it(served: Served) -> None:
    async def visit() -> tuple[str, list[str]]:
        async with (
            aiohttp.ClientSession(cookies=served.cookies) as browser,
            browser.ws_connect(f"{served.url}/ws?width=80&height=24", origin=served.url) as tab,
        ):
            shown = ""
            async with asyncio.timeout(60):
                while "Overview" not in shown:
                    message = await tab.receive()
                    assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                    shown += message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
            lines = served.command_lines()
            assert served.has_key_in_an_environment()
            await tab.send_json(["stdin", "q"])
            async with asyncio.timeout(30):
                while not tab.closed:
                    await tab.receive()
        return shown, lines

    shown, lines = asyncio.run(visit())
    assert served.key not in shown
    assert lines
    assert all(served.key not in line for line in lines)
    assert served.key not in Path(f"/proc/{served.process.pid}/cmdline").read_text()
    assert within(lambda: served.family() == [])


def test_a_tab_that_is_closed_takes_its_process_along(served: Served) -> None:
    async def visit() -> None:
        async with (
            aiohttp.ClientSession(cookies=served.cookies) as browser,
            browser.ws_connect(f"{served.url}/ws", origin=served.url) as tab,
        ):
            await tab.receive()
            assert len(served.family()) == 1

    asyncio.run(visit())
    assert within(lambda: served.family() == [])
