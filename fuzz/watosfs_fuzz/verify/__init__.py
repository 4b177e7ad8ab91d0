"""The merge gate: everything that finds bugs, within one budget, with one verdict."""
