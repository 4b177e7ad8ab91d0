"""Lockstep at the kernel level: several processes, every call compared."""
