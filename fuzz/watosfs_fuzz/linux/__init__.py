"""Linux as the referee of the kernel's model: the same calls on a directory, by real processes."""
