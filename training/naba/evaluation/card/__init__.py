"""The model card of a run, in the Hub's format."""
