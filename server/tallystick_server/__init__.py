"""The appliance: the HTTP API, its process and its command line, over the engine in `tallystick`."""
