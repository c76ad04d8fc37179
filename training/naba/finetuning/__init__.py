"""From a labelled dataset and an encoder to a run folder."""
