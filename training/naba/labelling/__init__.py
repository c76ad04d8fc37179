"""Labelling articles with a trained model."""
