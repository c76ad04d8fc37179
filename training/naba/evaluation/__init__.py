"""Evaluating runs: scores, baselines beside them, reports."""
