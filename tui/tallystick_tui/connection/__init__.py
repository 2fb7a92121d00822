"""The appliance as the dashboard sees it: an HTTP client, and what can go wrong on the way."""
