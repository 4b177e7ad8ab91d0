"""How likely the fuzzer is to find a bug, measured on planted faults."""
