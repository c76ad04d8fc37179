"""Datasets: near-duplicates, splits that cannot leak, what to label next, the build and its card."""
