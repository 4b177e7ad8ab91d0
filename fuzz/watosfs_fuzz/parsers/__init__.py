"""Fuzzing of everything that parses bytes from outside: harnesses, mutators, corpora."""
