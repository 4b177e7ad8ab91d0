"""Processes over the VFS: descriptors, credentials, pipes, locks, transactions, system calls."""
