"""One tree of directories out of the names that were saved; what has none goes to lost+found."""

import stat
from collections.abc import Iterable

from watosfs.wfs3.format import LINK_MAX, ROOT_INODE
from watosfs.wfs3.records import Inode
from watosfs.wfs3.repairer.salvage import Loss, Saved

LOST_AND_FOUND = b"lost+found"


class Names:
    """Decides every directory's entries and every link count. Nothing is read or written."""

    def __init__(
        self, saved: dict[int, Saved], losses: list[Loss], next_inode: int, now_ns: int
    ) -> None:
        self.saved = saved
        self.losses = losses
        self.next_inode = next_inode
        self.now_ns = now_ns
        #: The path of each inode that has a name, the first one that was found.
        self.paths: dict[int, bytes] = {ROOT_INODE: b""}
        self.placed: dict[int, list[tuple[bytes, int]]] = {}
        self.links: dict[int, int] = {}
        self.found_in = 0

    def settle(self) -> None:
        """Afterwards ``saved`` has exactly the inodes of the new tree, and they fit each other."""
        self.settle_root()
        self.drop_the_lost()
        self.place(ROOT_INODE)
        self.collect_directories()
        self.collect_files()
        self.settle_attributes()
        for number, saved in self.saved.items():
            saved.entries = self.placed.get(number, [])
            if saved.inode.is_directory:
                children = (child for _, child in saved.entries)
                below = sum(self.saved[child].inode.is_directory for child in children)
                saved.inode.nlink = 2 + below
            elif not saved.inode.holds_attributes:
                saved.inode.nlink = self.links[number]

    def settle_root(self) -> None:
        """There is a root directory."""
        root = self.saved.get(ROOT_INODE)
        if root is None or not root.inode.is_directory:
            self.losses.append(Loss(0, "the root directory is lost: a new one takes its place"))
            inode = Inode(ROOT_INODE, stat.S_IFDIR | 0o755, self.now_ns, 2)
            self.saved[ROOT_INODE] = Saved(inode)

    def drop_the_lost(self) -> None:
        """Inodes of which too little is left, and orphans that no entry names."""
        named = {number for saved in self.saved.values() for _, number in saved.entries}
        for number in list(self.saved):
            saved = self.saved[number]
            if saved.data.is_lost:
                what = "attributes" if saved.inode.holds_attributes else "symbolic link"
                self.losses.append(Loss(0, f"inode {number}: the {what} cannot be read"))
                del self.saved[number]
            elif saved.inode.nlink == 0 and number not in named and number != ROOT_INODE:
                del self.saved[number]

    # -- names

    def place(self, start: int) -> None:
        """Keep the names of a directory that is reached, and of all below it."""
        waiting = [start]
        for directory in waiting:
            kept: list[tuple[bytes, int]] = []
            base = self.paths[directory]
            for name, number in self.saved[directory].entries:
                path = base + b"/" + name
                problem = self.problem_with(number)
                if problem:
                    self.losses.append(Loss(0, f"the name {path!r} is dropped: {problem}"))
                    continue
                kept.append((name, number))
                self.links[number] = self.links.get(number, 0) + 1
                if self.saved[number].inode.is_directory:
                    waiting.append(number)
                self.paths.setdefault(number, path)
            self.placed[directory] = kept

    def problem_with(self, number: int) -> str:
        """Why nothing may be called so; empty when it may."""
        saved = self.saved.get(number)
        if saved is None:
            return f"inode {number} is lost"
        if saved.inode.holds_attributes:
            return f"inode {number} holds attributes"
        if saved.inode.is_directory and number in self.paths:
            return f"the directory has a name, {self.paths[number] or b'/'!r}"
        if self.links.get(number, 0) >= LINK_MAX:
            return f"inode {number} has {LINK_MAX} names"
        return ""

    def collect_directories(self) -> None:
        """Directories that no name leads to, the tops of lost trees first, then one of each ring
        of directories that name each other.
        """
        lost = self.directories_lost()
        below = {number for top in lost for _, number in self.saved[top].entries}
        for number in [*(n for n in lost if n not in below), *lost]:
            if number not in self.paths:
                self.put_in_lost_and_found(number)
                self.place(number)

    def directories_lost(self) -> list[int]:
        return [
            number
            for number, saved in sorted(self.saved.items())
            if saved.inode.is_directory and number not in self.paths
        ]

    def collect_files(self) -> None:
        """Everything else that no name leads to."""
        for number, saved in sorted(self.saved.items()):
            if number not in self.paths and not saved.inode.holds_attributes:
                self.links[number] = 1
                self.put_in_lost_and_found(number)

    def put_in_lost_and_found(self, number: int) -> None:
        """A name for what has none: its number."""
        home = self.found_in or self.lost_and_found()
        name = b"#%d" % number
        taken = {name for name, _ in self.placed[home]}
        while name in taken:
            name += b"~"
        self.placed[home].append((name, number))
        self.paths[number] = self.paths[home] + b"/" + name
        self.losses.append(Loss(0, f"inode {number} had no name: it is {self.paths[number]!r}"))

    def lost_and_found(self) -> int:
        """The directory of that name, made when there is none."""
        entries = dict(self.placed[ROOT_INODE])
        name = LOST_AND_FOUND
        while name in entries and not self.saved[entries[name]].inode.is_directory:
            name += b"~"
        if name in entries:
            self.found_in = entries[name]
        else:
            self.found_in = self.next_inode
            self.next_inode += 1
            inode = Inode(self.found_in, stat.S_IFDIR | 0o700, self.now_ns, 2)
            self.saved[self.found_in] = Saved(inode)
            self.placed[ROOT_INODE].append((name, self.found_in))
            self.placed[self.found_in] = []
            self.paths[self.found_in] = b"/" + name
        return self.found_in

    # -- attributes

    def settle_attributes(self) -> None:
        """Every holder of attributes has one owner, or goes."""
        owned: set[int] = set()
        for number, saved in sorted(self.saved.items()):
            inode = saved.inode
            target = inode.attributes_inode
            holder = self.saved.get(target)
            is_owner = inode.is_file or inode.is_directory
            if not target:
                continue
            if holder and holder.inode.holds_attributes and is_owner and target not in owned:
                owned.add(target)
                continue
            self.losses.append(Loss(number, "its extended attributes are lost"))
            inode.attributes_inode = 0
        self.forget(
            number
            for number, saved in self.saved.items()
            if saved.inode.holds_attributes and number not in owned
        )

    def forget(self, numbers: Iterable[int]) -> None:
        """Inodes that nobody needs."""
        for number in list(numbers):
            del self.saved[number]
