"""Counterexamples that explain themselves: story, pytest, image and HTML."""
