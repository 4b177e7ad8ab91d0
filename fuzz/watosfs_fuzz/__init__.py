"""Lockstep fuzzing and crash exploration of file systems against the watosfs model."""
