"""Depth-first search over the states of a target and its model, with a visited set."""
