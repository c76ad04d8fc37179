"""Votes into labels: rules, people and models vote, agreement is measured, resolvers decide."""
