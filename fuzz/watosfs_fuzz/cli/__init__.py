"""The command ``watosfs-fuzz``, a module for each of its commands."""
