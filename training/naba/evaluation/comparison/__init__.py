"""Several runs on the same segments, side by side."""
