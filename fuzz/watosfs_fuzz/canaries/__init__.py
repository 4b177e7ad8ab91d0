"""Broken variants of the implementation that the fuzzer must catch. Never in production paths."""
