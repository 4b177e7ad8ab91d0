"""Where every random generator of the fuzzer is made: a seed and a commit are the whole run.

Nothing else in this package makes a generator, reads a clock for a decision, or depends on the
order of a set or of hashes; so a finding's seed and trace number bring it back anywhere.
"""

import hashlib
import random


def random_of(seed: int, trace_number: int, purpose: str) -> random.Random:
    """The generator of one purpose ("generate", "crash", ...) within one trace of a run.

    Purposes do not share a stream: drawing more for one leaves the others as they were.
    """
    text = f"{seed}/{trace_number}/{purpose}".encode()
    return random.Random(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))
