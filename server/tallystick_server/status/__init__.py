"""What the appliance is doing, in one answer."""
