"""Every legal crash of a recorded run, explored exhaustively (``docs/CRASH_MODEL.md``)."""
