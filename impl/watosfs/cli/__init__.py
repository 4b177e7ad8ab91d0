"""The ``watosfs`` command: images made, looked into, filled, emptied and checked from a shell."""
