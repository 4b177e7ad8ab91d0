"""The checker of WFS v2: it sees the format only, never how a volume is mounted."""
