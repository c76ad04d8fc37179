"""The typed form of report.json and comparison.json."""
