"""Models as teachers: they label a pool, and what they are sure of trains a student."""
