"""From article files to labelled data: reading, cutting into segments, joining labels, splitting."""
