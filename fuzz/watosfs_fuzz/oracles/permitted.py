"""The trees that the model permits after an operation, made when they are needed."""

from collections.abc import Hashable, Iterator, Mapping

from watosfs_fuzz.dialect import Dialect, Entry, Tree
from watosfs_model import System, observe
from watosfs_model.durability import crash_state
from watosfs_model.state import Volume


def frozen(tree: Tree) -> Hashable:
    """A tree as a value that can be compared and kept."""
    return tuple(sorted(tree.items()))


class Permitted:
    """``states[n]`` is the model after operation n; histories share their volumes."""

    def __init__(self, states: Mapping[int, System], dialect: Dialect) -> None:
        self.states = states
        self.dialect = dialect
        self.known: dict[int, tuple[set[Hashable], Iterator[Volume]]] = {}
        self.trees: dict[int, tuple[Volume, Hashable]] = {}
        self.verdicts: dict[tuple[int, int], tuple[Hashable, bool]] = {}
        self.alike: dict[int, dict[bytes, Entry]] = {}

    def has(self, tree: Hashable, number: int) -> bool:
        """Whether recovery may find ``tree`` after operation ``number``."""
        # Outcomes are shared between crash points, so the same object comes again and again.
        verdict = self.verdicts.get((id(tree), number))
        if verdict is None or verdict[0] is not tree:
            verdict = self.verdicts[id(tree), number] = (tree, self.is_among(tree, number))
        return verdict[1]

    def is_among(self, tree: Hashable, number: int) -> bool:
        """The comparison behind ``has``."""
        found = self.known.get(number)
        if found is None:
            found = self.known[number] = (set(), iter(self.states[number].history))
        known, coming = found
        if tree in known:
            return True
        # Oldest first: that is what most crashes leave, so the younger are seldom looked at.
        for volume in coming:
            due = self.tree_of(volume, number)
            known.add(due)
            if due == tree:
                return True
        return False

    def tree_of(self, volume: Volume, number: int) -> Hashable:
        """A permitted state as recovery should show it."""
        found = self.trees.get(id(volume))
        if found is None:
            state = crash_state(self.states[number], volume)
            due = self.dialect.shown(observe(state))[0]
            found = self.trees[id(volume)] = (volume, frozen(due))
        return found[1]

    def count(self, number: int) -> int:
        """How many states are permitted, equal ones counted as often as they come."""
        return len(self.states[number].history)

    def same_in_all(self, number: int) -> dict[bytes, Entry]:
        """The files and symlinks that every permitted state has alike."""
        found = self.alike.get(number)
        if found is None:
            first, *others = [
                dict(self.tree_of(volume, number))  # type: ignore[call-overload]
                for volume in self.states[number].history
            ]
            found = {
                path: entry
                for path, entry in first.items()
                if entry[0] != "directory" and all(o.get(path) == entry for o in others)
            }
            self.alike[number] = found
        return found
