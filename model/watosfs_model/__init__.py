"""Executable specification of watosfs: pure steps over immutable states."""
