"""Labelling rules: weak votes from the words of a segment, written in YAML, each free to abstain.

configs/rules/*.yaml ──RuleSet.load──▶ votes on a text ──report──▶ coverage, overlap, conflicts, accuracy against gold.
"""

from naba.voting.rules.ruleset import RuleSet, RuleVote

__all__ = ["RuleSet", "RuleVote"]
