"""Depth-first search over the states that short workloads reach, each entered once."""
