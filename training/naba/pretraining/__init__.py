"""From article files and an encoder to an encoder that has read them: domain-adaptive pretraining."""
