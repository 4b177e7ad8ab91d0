"""The file systems that are measured, each behind the same few calls."""
