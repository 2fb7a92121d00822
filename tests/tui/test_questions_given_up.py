"""Questions that a newer one supersedes leave nothing behind, wherever on their way they were given up."""

from __future__ import annotations

import asyncio
import gc

import httpx

from tallystick_tui.connection.appliance_client import ApplianceClient
from tests.appliance import Appliance

AT_ONCE, CONNECTIONS_MAX, STEPS = 8, 8, 40


def test_questions_given_up_at_any_moment_keep_no_connection(sampled: Appliance) -> None:
    """One that they kept would never be free again; an open socket that nobody holds is an error in this suite by itself."""

    async def run() -> None:
        # Connections that are old at once: each question first closes those of the ones before it.
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=0.001)
        client = ApplianceClient(sampled.url, sampled.admin_key, transport=httpx.AsyncHTTPTransport(limits=limits))
        for steps in range(STEPS):
            async with asyncio.timeout(20):
                await asyncio.gather(*(client.ask_object("/v1/status") for _ in range(AT_ONCE)))
            await asyncio.sleep(0.003)
            question = asyncio.ensure_future(client.ask_object("/v1/status"))
            for _ in range(steps):
                await asyncio.sleep(0)
            question.cancel()
            await asyncio.wait([question])
        await client.close()

    asyncio.run(run())
    gc.collect()
