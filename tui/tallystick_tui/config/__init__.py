"""What the dashboard keeps for its user between two starts: connections, their keys, and how the screens were left."""
