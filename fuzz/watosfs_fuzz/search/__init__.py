<<<<<<< HEAD
"""Depth-first search over the states of a target and its model, with a visited set."""
=======
"""Depth-first search over the states that short workloads reach, each entered once."""
>>>>>>> main
