"""A trained run as a graph that onnxruntime runs fast on a CPU, let through only where it answers as the run does."""
