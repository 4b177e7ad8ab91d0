"""The file systems that the fuzzer can drive."""
