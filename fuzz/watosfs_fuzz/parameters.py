"""The values that the fuzzer tries on purpose, in one place: decisions, not accidents.

Both drivers (``generate``, ``machine``) draw from these tables and from values near those that a
trace used before. What is not here and not near anything used is not tried.
"""

from typing import Final

from watosfs_model.open_flags import (
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)

BLOCK: Final = 4096
CHUNK: Final = 65536
#: A file of at most so many bytes lives in its inode.
INLINE_MAX: Final = 160
GIB_4: Final = 1 << 32
SIZE_MAX: Final = (1 << 63) - 1

# -- volumes

#: Blocks. Nearly all are 1 MiB, so that a few dozen operations meet a full disk.
VOLUME_BLOCKS: Final = (256, 256, 256, 256, 512, 1024)

# -- names

#: So few that operations meet: most traces use only these.
NAMES_TINY: Final = (b"a", b"b", b"c", b"d", b"e")
#: FNV-1a 64 collisions (``docs/FORMAT.md``): two names, one key in the directory tree.
NAMES_COLLIDING: Final = (
    (b"7mohtcOFVz", b"c1E51sSEyx"),
    (b"8yn0iYCKYHlIj4-BwPqk", b"GReLUrM4wMqfg9yzV3KQ"),
    (b"gMPflVXtwGDXbIhP73TX", b"LtHf1prlU1bCeYZEdqWf"),
    (b"pFuM83THhM-Qw8FI5FKo", b".jPx7rOtTDteKAwvfOEo"),
)
NAMES_LONG: Final = (b"l" * 254, b"m" * 255, b"n" * 254 + b"o")
NAMES_TOO_LONG: Final = (b"x" * 256, b"y" * 1000)
#: Bytes are bytes: no normalisation, no case folding, no encoding.
NAMES_ODD: Final = (
    "\u00e9".encode(),
    "e\u0301".encode(),
    "\u65e5\u672c".encode(),
    b"A",
    b"\xff\xfe",
    b" ",
    b"a b",
    b"new\nline",
    b"back\\slash",
    b'quo"te',
    b"...",
    b".a",
    b"-",
)
#: For targets that take few names: too long for 8.3, two of them alike in their first letters.
NAMES_PLAIN_LONGER: Final = (b"longername1", b"longername2", b"anotherlongname" * 3)
NAMES_SPECIAL: Final = (b".", b"..")
#: Enough for three levels of directory tree (a leaf holds 14 entries, an inode leaf 15).
NAMES_MANY: Final = tuple(b"n%03d" % i for i in range(400))

# -- paths

#: Tried as they are, whatever exists.
PATHS_WILD: Final = (
    b"",
    b"/",
    b"//",
    b"/.",
    b"/..",
    b"/./.",
    b"/../..",
    b"/missing/a",
    b"/a/",
    b"/b/",
    b"//a",
    b"/a//b",
    b"/a/.",
    b"/a/..",
    b"/a/../b",
    b"/a/./b",
    b"/c/../../a",
    b"/a\0b",
    b"/" + b"x" * 255,
    b"/" + b"x" * 256,
    b"/" + b"/".join([b"p" * 200] * 21)[:4094],
    b"/" + b"/".join([b"p" * 200] * 21)[:4095],
    b"/" + b"./" * 2047,
    b"/" + b"./" * 2046 + b"a",
)
#: Deepest directory that generated paths grow to.
DEPTH_MAX: Final = 12
TARGETS: Final = (
    b"a",
    b"b",
    b"/a",
    b"/b",
    b"/a/b",
    b"..",
    b".",
    b"/",
    b"../a",
    b"a/",
    b"missing",
    b"",
    b"t" * 159,
    b"t" * 160,
    b"t" * 161,
    b"t" * 4095,
    b"t" * 4096,
    b"nul\0byte",
)

# -- numbers

SIZES_SMALL: Final = (0, 1, 2, 5, 11, 100, 159, 160, 161, 511, 512, 513)
SIZES_BLOCK: Final = (4095, 4096, 4097, 8191, 8192, 8193, 12288)
SIZES_CHUNK: Final = (65535, 65536, 65537, 69632, 131072)
SIZES_HUGE: Final = (
    GIB_4 - 1, GIB_4, GIB_4 + 1, 1 << 40, (1 << 62), SIZE_MAX - 65536, SIZE_MAX - 4096,
    SIZE_MAX - 1, SIZE_MAX,
)  # fmt: skip
#: Beyond what an ``off_t`` holds, or negative: the error paths.
SIZES_WRONG: Final = (-1, -4096, -(1 << 63), 1 << 63, (1 << 64) - 1)
#: What a change by one beside a boundary means.
NUDGES: Final = (-4096, -1, 0, 0, 1, 4096)
#: Lengths of data that are written; a 1 MiB volume is full after eight of the last.
LENGTHS_WRITTEN: Final = SIZES_SMALL + SIZES_BLOCK + SIZES_CHUNK
#: Lengths that fill a disk: the first as often as it takes, then ever smaller ones.
LENGTHS_FILLING: Final = (131072, 65536, 16384, 4096, 4096, 100)
#: Seeds of the bytes that a write carries (few, so that expanding them is remembered).
FILL_SEEDS: Final = 64
FILL_SEEDS_LARGE: Final = 4

MODES: Final = (0o644, 0o755, 0o600, 0o000, 0o777, 0o7777, 0o1777, 0o4755, 0o100)
OWNERS: Final = (0, 1, 2, 1000, 65534, 0xFFFFFFFE, 0xFFFFFFFF)
TIMES_NS: Final = (
    0, 1, 5, 999_999_999, 1_000_000_000, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
TIMES_NS_WRONG: Final = (-1, 1 << 64)
#: Keys of extended attributes, and what is none.
KEYS: Final = (b"user.a", b"user.b", b"user.c", b"user." + b"k" * 250)
KEYS_ODD: Final = (
    b"", b"user.", b"user", b"trusted.a", b"nodot", b"user.a\0b", b"user." + b"k" * 251,
    b"user.\xff",
)  # fmt: skip
#: Lengths of values: an inode's attributes have room for 65536 bytes with 6 + key for each.
VALUE_LENGTHS: Final = (0, 1, 5, 100, 147, 148, 149, 4084, 4085, 20000, 30000, 65524, 65536, 65537)
XATTR_FLAGS: Final = (0, 0, 0, 1, 2)
#: Descriptors that are (nearly) never open.
DESCRIPTORS_WRONG: Final = (-1, 0, 2, 3, 4, 9, 1023, 1 << 31)
#: Descriptors that a trace keeps open at most.
DESCRIPTORS_OPEN_MAX: Final = 8

# -- open flags

FLAGS_COMMON: Final = (
    O_CREAT | O_RDWR,
    O_CREAT | O_RDWR,
    O_CREAT | O_RDWR,
    O_RDWR,
    O_RDWR,
    O_RDONLY,
    O_CREAT | O_WRONLY,
    O_CREAT | O_RDWR | O_TRUNC,
    O_CREAT | O_EXCL | O_RDWR,
    O_CREAT | O_RDWR | O_APPEND,
)
FLAGS_RARE: Final = (
    O_WRONLY,
    O_WRONLY | O_TRUNC,
    O_RDWR | O_TRUNC,
    O_RDONLY | O_TRUNC,
    O_WRONLY | O_APPEND,
    O_CREAT | O_RDONLY,
    O_DIRECTORY | O_RDONLY,
    O_DIRECTORY | O_RDWR,
    O_DIRECTORY | O_CREAT | O_RDWR,
    O_NOFOLLOW | O_RDWR,
    O_NOFOLLOW | O_CREAT | O_RDWR,
    O_NOFOLLOW | O_DIRECTORY | O_RDONLY,
    O_CREAT | O_EXCL | O_WRONLY | O_APPEND,
    O_RDWR | O_WRONLY,
)

#: How often more than a block of data can be compressed.
REPEATED: Final = 0.4
COMPRESSION_LEVELS: Final = (1, 1, 3, 3, 9, 0, 0, 19)
COMPRESSION_LEVELS_WRONG: Final = (20, 255)
#: How often the root is to be compressed, and so all that is new.
COMPRESSED_ROOTS: Final = 0.3

#: Names of snapshots, and what is none.
SNAPSHOT_LABELS: Final = (b"a", b"b", b"c", b"d", b"e", b"\xff " + b"n" * 253)
SNAPSHOT_LABELS_ODD: Final = (b"", b".", b"..", b"a/b", b"a\0b", b"n" * 256, b"a", b"gone")
#: How many traces have snapshots, how often between two operations, and how many are to fail.
SNAPSHOT_TRACES: Final = 0.3
SNAPSHOT_SHARES: Final = (0.03, 0.08, 0.2)
SNAPSHOT_ERRORS: Final = 0.06

# -- how often

#: How often each operation comes in a trace of no particular style.
WEIGHTS: Final[dict[str, float]] = {
    "mkdir": 5, "rmdir": 3, "open": 14, "close": 6, "pread": 3, "pwrite": 18, "truncate": 4,
    "ftruncate": 5, "unlink": 8, "rename": 9, "link": 5, "symlink": 3, "readlink": 1,
    "readdir": 1, "stat": 1, "lstat": 1, "fstat": 1, "statfs": 0.5, "chmod": 1.5, "chown": 1.5,
    "compress": 0.8, "utimens": 1.5, "setxattr": 3, "getxattr": 0.7, "listxattr": 0.3,
    "removexattr": 1.5, "fsync": 3, "fdatasync": 1, "sync": 2, "begin": 1.5, "commit": 1.5,
    "abort": 1, "remount": 0.7, "crash": 0.7,
}  # fmt: skip
#: A trace multiplies each weight by one of these (swarm testing: leaving an operation out lets
#: the others go deeper).
SWARM_FACTORS: Final = (0, 0.3, 1, 1, 1, 3)
#: These always stay in: without them nothing else has anything to work on.
SWARM_KEPT: Final = ("open", "pwrite", "mkdir")
#: What each style of trace does more (or less) often than WEIGHTS says.
STYLES: Final[dict[str, dict[str, float]]] = {
    "mixed": {},
    "names": {"mkdir": 3, "rename": 4, "link": 3, "unlink": 3, "symlink": 3, "pwrite": 0.2},
    "data": {"pwrite": 4, "ftruncate": 4, "truncate": 3, "pread": 3, "mkdir": 0.2, "rename": 0.2},
    "transactions": {"begin": 12, "commit": 8, "abort": 6, "remount": 0.5},
    "orphans": {"unlink": 4, "rename": 2, "close": 0.7, "crash": 3, "remount": 2},
    "durability": {"fsync": 4, "sync": 3, "fdatasync": 3, "crash": 4},
    "full": {"pwrite": 6, "unlink": 2, "truncate": 2, "ftruncate": 2},
    "crowd": {"unlink": 2, "rename": 2, "readdir": 2},
    "extents": {"pwrite": 3, "ftruncate": 2, "truncate": 2},
    "deep": {"mkdir": 6, "rename": 3, "rmdir": 2},
    "attributes": {"setxattr": 8, "removexattr": 6, "getxattr": 4, "listxattr": 4, "chmod": 2},
    "compressed": {"compress": 6, "pwrite": 3, "ftruncate": 2, "truncate": 2, "crash": 2},
}  # fmt: skip
#: How often each style is chosen.
STYLE_WEIGHTS: Final[dict[str, float]] = {
    "mixed": 6, "names": 4, "data": 4, "transactions": 3, "orphans": 2, "durability": 3,
    "full": 2, "crowd": 2, "extents": 1, "deep": 1, "attributes": 1.5, "compressed": 2,
}  # fmt: skip
#: Operations of one trace, shortest and longest, by style ("" = all others).
LENGTHS: Final[dict[str, tuple[int, int]]] = {
    "": (10, 80), "crowd": (120, 400), "extents": (120, 300), "full": (40, 160),
}  # fmt: skip
#: How likely a burst is before each operation, and how many a trace has at most, by style.
BURSTS: Final[dict[str, tuple[float, int]]] = {"": (0.04, 3), "crowd": (0.15, 5)}
#: The share of arguments that aim at an error path.
ERROR_SHARE: Final = 0.08
