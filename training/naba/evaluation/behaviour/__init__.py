"""Behaviour tests after CheckList: what a model should not mind, what should turn it, and what it must at least know."""
