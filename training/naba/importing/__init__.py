"""Labelled sets that people have, brought in by a mapping of their columns and values."""
