"""Crashes that the tests of reports share."""

EXAMPLE = "fuzz/examples/journal_store.py"
JOURNAL = f"""\
# target: exec:python3 {EXAMPLE} --early-commit
# crash: crash at=7 2:00000000
open "/a" O_CREAT|O_RDWR 0o644
pwrite 3 "a" 0
fsync 3
"""
#: Of one block some sectors persisted; two commits, the first one durable.
TORN = f"""\
# target: exec:python3 {EXAMPLE} --early-commit
# crash: crash at=16 3:01101011
open "/b" O_CREAT|O_RDWR 0o644
pwrite 3 fill(7,4096) 0
fsync 3
pwrite 3 fill(9,4096) 0
fsync 3
"""
#: The superblock shares its epoch with the tree.
SUPERBLOCK = """\
# canary: no-flush-before-superblock
# without: epoch
# kind: crash
# crash: crash at=7 7:00000000
open "/a" O_CREAT|O_RDWR 0o644
fsync 3
"""
