"""Names and links: entries fit their inodes, link counts agree, directories form one tree."""

from collections.abc import Sequence
from typing import Final

from watosfs.wfs3.checker.facts import NodeFacts
from watosfs.wfs3.checker.inode_facts import InodeFacts
from watosfs.wfs3.checker.leaf_facts import EntryFacts, repeated_names
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.format import ROOT_INODE
from watosfs.wfs3.node import DIRECTORY, INODES
from watosfs.wfs3.records import TYPE_DIRECTORY

_DOTS: Final = (b".", b"..")


class Names:
    """Gathers the names of all directories, then holds them against the inodes.

    ``inodes`` maps an inode number to (block of its leaf, facts). ``links`` counts names,
    ``children`` lists the subdirectories of a directory. ``populated`` holds the directories that
    have an entry.
    """

    __slots__ = ("children", "findings", "inodes", "links", "populated", "walker")

    def __init__(self, walker: TreeWalker, inodes: dict[int, tuple[int, InodeFacts]]) -> None:
        self.walker = walker
        self.findings: Findings = walker.findings
        self.inodes = inodes
        self.links: dict[int, int] = {}
        self.children: dict[int, list[int]] = {}
        self.populated: set[int] = set()

    def read_directory(self, leaf: int, inode: InodeFacts) -> None:
        """Read the directory ``inode``, found in the inode leaf at block ``leaf``."""
        number = inode.number
        dots: set[bytes] = set()
        if inode.extent_root:
            leaves = self.walker.leaves(
                inode.extent_root,
                DIRECTORY,
                (DIRECTORY.name, number),
                ("inode", leaf, "extent_root"),
            )
            if len(leaves) > 1:
                self._across_leaves(leaves)
            for block, facts in leaves:
                for entry in facts.entries:
                    if entry.name in _DOTS:
                        dots.add(entry.name)
                        self._dot(block, number, entry)
                    else:
                        self._entry(block, number, entry)
                if facts.entries:
                    self.populated.add(number)
        if (
            number == ROOT_INODE
            and len(dots) < 2
            and self.walker.strict
            and DIRECTORY.name not in self.walker.damaged
        ):
            self.findings.problem("inode", leaf, "extent_root", "the root lacks `.` or `..`")

    def _across_leaves(self, leaves: Sequence[tuple[int, NodeFacts]]) -> None:
        """Names that repeat across a border between leaves (``leaf_facts`` judges within one)."""
        before: list[EntryFacts] = []
        for block, facts in leaves:
            if not facts.entries:
                continue
            first, last = facts.entries[0].key, facts.entries[-1].key
            if before and before[0].key == first:
                head = [entry for entry in facts.entries if entry.key == first]
                own = set(repeated_names(head))
                for name in repeated_names(before + head):
                    if name not in own:
                        self.findings.problem(
                            "directory entry", block, "name", f"{name!r} is in the leaf before too"
                        )
            else:
                before = []
            tail = [entry for entry in facts.entries if entry.key == last]
            before = before + tail if before and first == last else tail

    def _dot(self, block: int, directory: int, entry: EntryFacts) -> None:
        if not self.walker.strict:
            return
        if directory != ROOT_INODE:
            self.findings.problem(
                "directory entry", block, "name", f"{entry.name!r} in directory {directory}"
            )
        elif entry.inode_number != ROOT_INODE:
            self.findings.problem(
                "directory entry", block, "inode_num",
                f"{entry.name!r} of the root names inode {entry.inode_number}",
            )  # fmt: skip
        elif entry.kind != TYPE_DIRECTORY:
            self.findings.problem(
                "directory entry", block, "type", f"{entry.name!r} has type {entry.kind}"
            )

    def _entry(self, block: int, directory: int, entry: EntryFacts) -> None:
        _key, name, number, kind = entry
        found = self.inodes.get(number)
        if found is None:
            if INODES.name not in self.walker.damaged:
                self.findings.problem(
                    "directory entry",
                    block,
                    "inode_num",
                    f"{name!r}: inode {number} does not exist",
                )
            return
        facts = found[1]
        if kind != facts.kind:
            self.findings.problem(
                "directory entry", block, "type",
                f"{name!r}: type {kind}, but inode {number} is of type {facts.kind}",
            )  # fmt: skip
        if not facts.nlink:
            self.findings.problem(
                "directory entry", block, "inode_num", f"{name!r} names inode {number}, an orphan"
            )
        self.links[number] = self.links.get(number, 0) + 1
        if facts.kind == TYPE_DIRECTORY:
            self.children.setdefault(directory, []).append(number)

    def judge_links(self) -> None:
        """Link counts, single names of directories, reachability, if every name was in sight."""
        damaged = self.walker.damaged
        if INODES.name in damaged or DIRECTORY.name in damaged:
            self.findings.note("link counts and reachability were not checked: a tree is damaged")
            return
        links, children = self.links, self.children
        problem = self.findings.problem
        directories = 0
        for number, (leaf, facts) in self.inodes.items():
            names = links.get(number, 0)
            if facts.holds_attributes:
                if names:
                    problem(
                        "inode", leaf, "nlink", f"inode {number} holds attributes, and is named"
                    )
                continue
            if facts.kind == TYPE_DIRECTORY:
                directories += 1
                self._judge_directory(leaf, facts, names)
                names = 2 + len(children.get(number, ())) if facts.nlink else 0
            if names != facts.nlink and self.walker.strict:
                problem(
                    "inode", leaf, "nlink", f"inode {number}: {facts.nlink}, but it has {names}"
                )
            elif facts.nlink and not names:
                problem("inode", leaf, "nlink", f"inode {number} has no name")
        self._judge_reachability(directories)

    def _judge_directory(self, leaf: int, facts: InodeFacts, names: int) -> None:
        number = facts.number
        problem = self.findings.problem
        if number == ROOT_INODE:
            if names:
                problem("inode", leaf, "nlink", f"the root directory has {names} names")
        elif names > 1:
            problem("inode", leaf, "nlink", f"directory {number} has {names} names")
        elif not names and facts.nlink:
            problem("inode", leaf, "nlink", f"directory {number} has no name")

    def _judge_reachability(self, directories: int) -> None:
        reached = {ROOT_INODE}
        pending = [ROOT_INODE]
        children = self.children
        while pending:
            for child in children.get(pending.pop(), ()):
                if child not in reached:
                    reached.add(child)
                    pending.append(child)
        if len(reached) == directories and ROOT_INODE in self.inodes:
            return
        for number, (leaf, facts) in self.inodes.items():
            if facts.kind == TYPE_DIRECTORY and facts.nlink and number not in reached:
                self.findings.problem(
                    "inode", leaf, "parent", f"directory {number} cannot be reached from the root"
                )


def judge_orphans(
    walker: TreeWalker,
    leaves: Sequence[tuple[int, NodeFacts]],
    inodes: dict[int, tuple[int, InodeFacts]],
    populated: set[int],
) -> int:
    """The orphan tree names exactly the inodes without a link; how many there are."""
    findings = walker.findings
    listed: set[int] = set()
    for block, facts in leaves:
        for number in facts.keys:
            listed.add(number)
            found = inodes.get(number)
            if found is None:
                if INODES.name not in walker.damaged:
                    findings.problem(
                        "orphan tree", block, "inode_num", f"inode {number} does not exist"
                    )
            elif found[1].nlink:
                findings.problem(
                    "orphan tree", block, "inode_num", f"inode {number} has {found[1].nlink} links"
                )
    orphans = 0
    for number, (leaf, inode) in inodes.items():
        if inode.nlink:
            continue
        orphans += 1
        if number in populated:
            findings.problem(
                "inode", leaf, "nlink", f"inode {number}: 0, but the directory has entries"
            )
        if number not in listed and "orphan tree" not in walker.damaged and walker.strict:
            findings.problem(
                "inode", leaf, "nlink", f"inode {number}: 0, but it is not in the orphan tree"
            )
    return orphans
