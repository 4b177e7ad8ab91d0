"""Z3 proofs about the pure kernels of watosfs (built by a later issue)."""
