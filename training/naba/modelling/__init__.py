"""The joint model: encoder, heads, loss, encoding of text, and run folders."""
