"""What is proved of the medium that a commit writes through: nothing but blocks of the open
transaction is written, everything once, superblocks to their slot.
"""

from types import ModuleType, SimpleNamespace

from watosfs.errors import DamageError
from watosfs.wfs3 import writing
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt

BOUND = "transfers of 1 and 2 blocks"
BLOCK = 5


def _write(path: Path, module: ModuleType) -> str:
    calls: list[object] = []
    is_fresh = path.decide(path.boolean("is_fresh"))
    blocks = 2 if path.decide(path.boolean("two blocks")) else 1

    def covers(start: int, end: int) -> bool:
        calls.append((start, end))
        return is_fresh

    allocator = SimpleNamespace(fresh=SimpleNamespace(covers=covers))
    device = SimpleNamespace(write=lambda block, data: calls.append((block, data)))
    data, asked = bytes(blocks * module.BLOCK_SIZE), (BLOCK, BLOCK + blocks)
    try:
        module.Medium(device, allocator).write(BLOCK, data)
    except DamageError as error:
        path.prove("refused only when it is not fresh", not is_fresh)
        path.prove("nothing is written", calls == [asked])
        told = f"free tree at block {BLOCK}: blocks {BLOCK}..{BLOCK + blocks} are in use"
        path.prove("the blocks are named", error.strerror == told)
        return "refused"
    path.prove("only fresh blocks are written", is_fresh)
    path.prove("each transfer once, and where it belongs", calls == [asked, (BLOCK, data)])
    return "written"


def _rest(path: Path, module: ModuleType) -> str:
    calls: list[str] = []
    written: list[tuple[object, bytes]] = []
    slot = SymInt(path.integer("slot"))
    device = SimpleNamespace(
        write=lambda at, data: written.append((at, data)), flush=lambda: calls.append("flush")
    )
    made = module.Medium(device, SimpleNamespace())
    made.flush()
    path.prove("one flush is one flush", calls == ["flush"])
    kinds = module.Superblock.__annotations__
    superblock = module.Superblock(*(b"" if "bytes" in str(kinds[name]) else 0 for name in kinds))
    made.write_superblock(slot, superblock)
    at, data = written[-1]
    encoded = module.encode_superblock(superblock)
    path.prove("a superblock goes to its slot, once", at is slot and len(written) == 1)
    path.prove("as it is encoded", data == encoded)
    return "written"


def medium_obligations(module: ModuleType = writing) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""
    return [
        Obligation(
            "medium.write",
            "only blocks of the open transaction",
            BOUND,
            lambda path: _write(path, module),
            ("written", "refused"),
        ),
        Obligation(
            "medium.rest",
            "a flush and a superblock, once each",
            "any slot",
            lambda path: _rest(path, module),
            ("written",),
        ),
    ]
