"""The toy clips, computed."""
