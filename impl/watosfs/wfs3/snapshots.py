"""Snapshots: the tree of their records, and the lists of dead blocks that only they show.

Making one writes down the durable roots; no block is touched. From then on what the working tree
gives up goes to the open dead list if a snapshot shows it (``dead``). Deleting one gives back what
the lists between it and its successor hold from after its predecessor; the lists are ordered by
birth, so this costs what it frees, and one look at each list that an earlier deletion left between
the two. Where there is no room to do it at once it is done in pieces, each a commit, and goes on at
the next mount.
"""

import errno
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from watosfs.errors import DamageError, failure
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.dead import GENERATION_MAX, first_birth, lists_of
from watosfs.wfs3.node import DEAD, SNAPSHOTS, Node
from watosfs.wfs3.snapshot_records import (
    EXISTS,
    LIST_ONLY,
    OPEN_LIST,
    SnapshotRecord,
    decode_record,
    encode_record,
)

if TYPE_CHECKING:
    from watosfs.wfs3.engine import Engine

_EMPTY: Final = SnapshotRecord(0, 0, 0, 0, LIST_ONLY, b"")


class SnapshotTree:
    """The snapshots of a mounted volume. Callers have made everything durable before a change."""

    #: Dead runs given back in one piece: many where there is room, few where there is none.
    pieces: Sequence[int] = (256, 32, 4, 1)

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.store = engine.store
        self.tree = BTree(engine.store, SNAPSHOTS, engine.superblock.snapshot_root)
        #: Lists that the open transaction changes, by the key of their record.
        self.lists: dict[int, BTree] = {}
        #: Generation of each snapshot by name, in order; None when it must be read again.
        self.known: dict[bytes, int] | None = None
        #: The snapshot that is being deleted, of which only a part may be left; 0 for none.
        self.deleting = engine.superblock.snapshot_deleting
        #: Generation of the newest snapshot that is durable.
        self.newest_durable = 0

    # -- looking

    def records(self, first: int = 0) -> Iterator[tuple[int, SnapshotRecord]]:
        """(key, record) from ``first`` on, ascending. Raises DamageError."""
        for key, raw in self.tree.items(first):
            record = decode_record(raw, 0)
            if key > OPEN_LIST or (key == OPEN_LIST and record.state == EXISTS):
                raise DamageError("snapshot", 0, f"one under key {key:#x}")
            yield key, record

    def names(self) -> dict[bytes, int]:
        """The generation of each snapshot by its name, in the order they were made."""
        if self.known is None:
            self.known = {
                record.name: key for key, record in self.records() if self.exists(key, record)
            }
        return self.known

    def exists(self, key: int, record: SnapshotRecord) -> bool:
        """Whether a record is that of a snapshot, and not of one that is being deleted."""
        return record.state == EXISTS and key != self.deleting

    def generation_of(self, name: bytes) -> int:
        """Raises ENOENT when there is no such snapshot."""
        generation = self.names().get(name)
        if generation is None:
            raise failure(errno.ENOENT, name)
        return generation

    def record(self, key: int) -> SnapshotRecord | None:
        """The record under a key. Raises DamageError."""
        raw = self.tree.get(key)
        return None if raw is None else decode_record(raw, 0)

    def before(self, generation: int) -> int:
        """The snapshot before this generation, -1 for none."""
        while generation > 0:
            path = self.tree.floor(generation - 1)
            if not path:
                return -1
            leaf, i = path[-1]
            if leaf.keys[i] >= generation:
                return -1
            generation = leaf.keys[i]
            if self.exists(generation, decode_record(leaf.values[i], leaf.block)):
                return generation
        return -1

    def after(self, generation: int) -> int:
        """The snapshot after this one, ``OPEN_LIST`` for none."""
        for key, record in self.records(generation + 1):
            if self.exists(key, record):
                return key
        return OPEN_LIST

    def list_of(self, key: int) -> BTree:
        """The dead list of a record, to be changed."""
        tree = self.lists.get(key)
        if tree is None:
            record = self.record(key)
            tree = BTree(self.store, DEAD, record.dead_root if record else 0)
            self.lists[key] = tree
        return tree

    def lists_to_shorten(self, generation: int) -> list[int]:
        """The keys of the lists that may hold what only this snapshot shows."""
        first, last = lists_of(generation, self.after(generation))
        return [key for key, _ in takewhile(lambda found: found[0] <= last, self.records(first))]

    def exclusive_blocks(self, generation: int) -> int:
        """How many blocks deleting a snapshot would free."""
        first = first_birth(self.before(generation))
        return sum(
            count
            for key in self.lists_to_shorten(generation)
            for _, (_, count) in self.list_of(key).items(first)
        )

    # -- what a commit writes

    def debt(self, runs: int) -> int:
        """Upper bound on the blocks that entering ``runs`` more dead runs will need."""
        if not self.store.dead.newest:
            return 0
        runs += self.store.dead.run_count
        tree = self.list_of(OPEN_LIST)
        fits = max(self.store.capacity(DEAD, 0) // 2, 1)
        whole = self.engine.space.nodes_changed(tree, runs)
        return whole + runs // fits + tree.height + 3 + 2 * (self.tree.height + 2)

    def store_lists(self) -> list[tuple[int, bytes]]:
        """Enter what the transaction gave up; the blocks to write, all placed."""
        dead, engine = self.store.dead, self.engine
        if dead.run_count:
            open_list = self.list_of(OPEN_LIST)
            for birth, start, end in dead:
                open_list.insert(birth, (start, end - start))
            dead.clear()
        writes = engine.place([node for tree in self.lists.values() for node in tree.dirty_nodes()])
        for key, tree in sorted(self.lists.items()):
            root = tree.root.block if type(tree.root) is Node else tree.root
            assert isinstance(root, int)
            record = self.record(key) or _EMPTY
            if root != record.dead_root:
                self.put(key, record._replace(dead_root=root))
        self.lists.clear()
        return writes + engine.place(list(self.tree.dirty_nodes()))

    def put(self, key: int, record: SnapshotRecord) -> None:
        """Set a record; one that says nothing any more goes."""
        path = self.tree.lower_bound(key)
        leaf, i = path[-1] if path else (None, 0)
        is_there = leaf is not None and leaf.keys[i] == key
        if record == _EMPTY:
            if is_there:
                self.tree.delete(path)
        elif leaf is not None and is_there:
            self.tree.make_path_dirty(path)
            leaf.values[i] = encode_record(record)
        else:
            self.tree.insert(key, encode_record(record))

    def remove(self, key: int) -> None:
        """Take out a record."""
        self.put(key, _EMPTY)

    def committed(self) -> None:
        """What was changed is durable."""
        self.newest_durable = self.store.dead.newest

    def revert(self) -> None:
        """Forget everything since the last commit."""
        self.lists.clear()
        self.known = None
        self.deleting = self.engine.superblock.snapshot_deleting
        self.store.dead.clear()
        self.store.dead.newest = self.newest_durable
        self.tree = BTree(self.store, SNAPSHOTS, self.engine.superblock.snapshot_root)

    def find_newest(self) -> None:
        """At mount: what the working tree gives up may be some snapshot's."""
        self.store.dead.newest = self.newest_durable = max(self.before(OPEN_LIST), 0)

    # -- changing

    def create(self, name: bytes, now_ns: int) -> None:
        """Write down the durable roots under ``name``, which is not there yet."""
        engine = self.engine
        names = self.names()
        engine.admit(self.cost())
        superblock = engine.superblock
        generation = superblock.root_generation
        if generation >= GENERATION_MAX:
            raise failure(errno.EOVERFLOW, reason="extents know 32 bits of a generation")
        open_list = self.record(OPEN_LIST) or _EMPTY
        self.lists.pop(OPEN_LIST, None)
        self.put(OPEN_LIST, _EMPTY)
        self.put(
            generation,
            SnapshotRecord(
                superblock.root_tree_block,
                superblock.orphan_root,
                open_list.dead_root,
                now_ns,
                EXISTS,
                name,
            ),
        )
        names[name] = generation
        self.store.dead.newest = generation
        engine.commit(force=True)

    def delete(self, name: bytes) -> None:
        """Free what only this snapshot shows; durable when it returns."""
        self.finish_deletion()
        generation = self.generation_of(name)
        self.engine.admit(self.cost(), last=True)
        self.deleting = generation
        del self.names()[name]
        self.store.dead.newest = max(self.before(OPEN_LIST), 0)
        self.finish_deletion()

    def finish_deletion(self) -> None:
        """Free what is left of the snapshot that is being deleted, and its record."""
        engine, generation = self.engine, self.deleting
        if not generation:
            return
        first = first_birth(self.before(generation))
        for key in self.lists_to_shorten(generation):
            while self.shorten(key, first):
                pass
        self.admit_last(self.cost())
        record = self.record(generation) or _EMPTY
        self.put(generation, _EMPTY._replace(dead_root=record.dead_root))
        self.deleting = 0
        engine.commit(force=True)

    def admit_last(self, cost: int, drops: int = 0) -> None:
        """Between two pieces of a deletion all is in order: where there is no room for the next,
        it waits. Raises ENOSPC.
        """
        self.engine.is_changing = False
        self.engine.admit(cost, last=True, drops=drops)

    def shorten(self, key: int, first: int) -> bool:
        """Free a piece of a list, of what was born from generation ``first`` on; False when that
        was all.
        """
        engine, tree = self.engine, self.list_of(key)
        size = next((n for n in self.pieces if self.has_room_for(n, tree)), self.pieces[-1])
        self.admit_last(self.cost_of_piece(size, tree), size)
        # Admission may have committed, which stored the lists.
        tree = self.list_of(key)
        for _ in range(size):
            path = tree.lower_bound(first)
            if not path:
                return False
            leaf, i = path[-1]
            start, count = leaf.values[i]
            tree.delete(path)
            engine.allocator.drop(start, count)
        return True

    def has_room_for(self, size: int, tree: BTree) -> bool:
        """Whether a piece of this size can be freed at once."""
        cost = self.cost_of_piece(size, tree)
        return self.engine.has_room(cost, frees=True, last=True, drops=size)

    def cost_of_piece(self, size: int, tree: BTree) -> int:
        """Upper bound on the nodes that taking ``size`` entries out of a list makes dirty, with
        those that storing the list's record does.
        """
        return size * (tree.height + 2) + self.cost()

    def cost(self) -> int:
        """The same for a change of three records."""
        return 3 * (2 * (self.tree.height + 1) + 1)
