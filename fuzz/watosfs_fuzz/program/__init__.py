"""The ``exec:`` target: a foreign program as a file system (``docs/TARGETS.md``)."""
