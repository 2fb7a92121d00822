"""What leaves the appliance: messages to channels, over guarded connections, with sealed secrets."""
