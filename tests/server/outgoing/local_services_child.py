"""The outgoing child with the addresses of Slack and Discord, constants of Apprise, changed to a receiver on loopback.

Nothing of ours is changed. The child is given few variables of its environment; the port comes in one of those.
"""

from __future__ import annotations

import os

from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.slack import NotifySlack

from tallystick_server.outgoing.child import main

PORT = os.environ["LANG"].rpartition("-")[2]

if __name__ == "__main__":
    NotifySlack.webhook_url = f"http://127.0.0.1:{PORT}/services"
    NotifyDiscord.notify_url = f"http://127.0.0.1:{PORT}/api/webhooks"
    main()
