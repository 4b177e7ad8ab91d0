"""The documentation: it builds, and what it says to type works."""
