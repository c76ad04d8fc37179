"""A cheap first stage before a run's model: it passes on only what may have a topic, with a certified recall."""
