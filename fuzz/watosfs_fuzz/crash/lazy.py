"""The lazy disk: an undecided block is decided when recovery first reads it, and the run forks
there.

Two images that agree on what a run reads are the same run, so walking the tree of these decisions
covers every legal image without making any. A read that comes with the caller's own check
(``accept``) is decided as a class: one of the contents that pass, or *rejected*, which stands for
all that fail.
"""

from collections.abc import Sequence

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, Buffer, Capabilities
from watosfs_fuzz.crash.contents import diagonals, diagonals_max, mixtures
from watosfs_fuzz.crash.image import CrashImage
from watosfs_fuzz.crash.log import FLUSH, ZERO_BLOCK, Event, Write
from watosfs_fuzz.crash.odometer import Choices, PowerCut
from watosfs_fuzz.crash.persistence import SECTOR, Persistence
from watosfs_fuzz.crash.windows import Window


class LazyDevice:
    """A block device over one window. ``decided`` maps each undecided block that was read to its
    contents.

    ``nested`` more power cuts may happen at flushes, FUA writes and the end of recovery; ``reboot``
    then turns what recovery wrote since its last flush into undecided blocks again.
    """

    def __init__(
        self,
        block_count: int,
        window: Window,
        choices: Choices,
        nested: int = 0,
        persistence: Persistence = SECTOR,
    ) -> None:
        self.block_size_bytes = BLOCK_SIZE_BYTES
        self.block_count = block_count
        self.capabilities = Capabilities()
        self.window = window
        self.choices = choices
        self.nested = nested
        self.persistence = persistence
        self.depth = 0
        #: What recovery wrote since the power came, and before each cut; only while cuts are left.
        self.log: list[Event] = []
        self.logs: list[list[Event]] = []
        self.decided: dict[int, bytes] = {}
        #: What was decided since the start, and since each cut.
        self.decided_at: list[dict[int, bytes]] = [{}]
        self.seen: dict[int, bytes] = {}
        self.current: dict[int, bytes] = {}
        self.versions: dict[int, list[bytes]] = {}
        self.pending: dict[int, list[bytes]] = {}
        #: What is not simply durable is in one of these.
        self.touched = (self.current, self.versions, window.versions)
        self.rejected: set[int] = set()
        #: Blocks whose sectors were decided together (``read_each``), not in every mixture.
        self.coarse: set[int] = set()
        self.each: int | None = None
        self.left_out = 0
        self.write_count = 0

    # -- reading

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """The blocks, decided now if they were not."""
        if count == 1:
            found = self.current.get(block)
            if found is not None:
                return found
            single = self.undecided(block)
            if single is None:
                content = self.seen[block] = self.window.durable.get(block, ZERO_BLOCK)
                return content
            return self.decide([block], [single], accept)
        blocks = range(block, block + count)
        if not any(self.touched) or self.is_durable(blocks):
            durable = self.window.durable
            contents = [durable.get(b, ZERO_BLOCK) for b in blocks]
            self.seen.update(zip(blocks, contents, strict=True))
            return b"".join(contents)
        if accept is None or self.is_decided(blocks):
            return b"".join([bytes(self.read(b)) for b in blocks])
        versions: list[list[bytes]] = []
        for b in blocks:
            known = self.undecided(b)
            is_open = known is not None and b not in self.current
            versions.append(known if is_open and known else [bytes(self.read(b))])
        return self.decide(list(blocks), versions, accept)

    def read_each(self, block: int, count: int = 1) -> bytes:
        """The blocks, for a caller that judges each sector by itself: every legal value of every
        sector comes in some branch, but not with every value of the others. All such reads fork
        once, together.
        """
        blocks = range(block, block + count)
        versions = []
        for b in blocks:
            known = None if b in self.current else self.undecided(b)
            versions.append([bytes(self.read(b))] if known is None else known)
        if all(len(known) == 1 for known in versions):
            return b"".join([bytes(self.read(b)) for b in blocks])
        self.coarse.update(blocks)
        if self.each is None:
            undecided = [*self.window.versions.values(), *self.versions.values()]
            self.each = self.choices.choose(diagonals_max(undecided, self.persistence))
        found = diagonals(versions, self.persistence)
        content = found[min(self.each, len(found) - 1)]
        self.keep(list(blocks), content)
        return content

    def held(self, block: int, count: int) -> tuple[bytes, ...]:
        """The contents of blocks that were read, without a copy."""
        current, seen = self.current, self.seen
        if count == 1:
            return (current[block] if block in current else seen[block],)
        return tuple([current[b] if b in current else seen[b] for b in range(block, block + count)])

    def is_durable(self, blocks: range) -> bool:
        """Whether the run is simply what it was at the last barrier."""
        current, versions, written = self.touched
        return not any(b in current or b in versions or b in written for b in blocks)

    def is_decided(self, blocks: range) -> bool:
        """Whether no block of a run is open."""
        return all(b in self.current or self.undecided(b) is None for b in blocks)

    def undecided(self, block: int) -> list[bytes] | None:
        """The versions of a block that is still open, or None."""
        found = self.versions.get(block)
        return found if found is not None else self.window.versions.get(block)

    def decide(
        self, blocks: list[int], versions: list[list[bytes]], accept: Accept | None
    ) -> bytes:
        """Fork over the legal contents of a read."""
        contents = self.contents(versions)
        failing = None
        if accept is not None:
            passing = [content for content in contents if accept(content)]
            failing = next((content for content in contents if not accept(content)), None)
            contents = passing if failing is None else [*passing, failing]
        content = self.fork(blocks, contents)
        if content is failing:
            self.rejected.update(blocks)
        return content

    def fork(self, blocks: list[int], contents: list[bytes]) -> bytes:
        """One of the contents of the blocks, which are decided by it."""
        content = contents[self.choices.choose(len(contents))] if len(contents) > 1 else contents[0]
        self.keep(blocks, content)
        return content

    def keep(self, blocks: list[int], content: bytes) -> None:
        """Decide the blocks that were open."""
        for i, block in enumerate(blocks):
            if block not in self.current:
                piece = content[i * BLOCK_SIZE_BYTES : (i + 1) * BLOCK_SIZE_BYTES]
                self.current[block] = piece
                if block in self.versions:
                    self.decided_at[-1][block] = piece
                elif block in self.window.versions:
                    self.decided[block] = self.decided_at[-1][block] = piece

    def contents(self, versions: list[list[bytes]]) -> list[bytes]:
        """The legal contents of some blocks read together, as far as they are enumerated."""
        found, is_complete = mixtures(versions, self.persistence)
        self.left_out += not is_complete
        return found

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    # -- writing

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Recovery's own writes go into the same volatile cache."""
        view = memoryview(data)
        for i in range(view.nbytes // BLOCK_SIZE_BYTES):
            at = block + i
            piece = bytes(view[i * BLOCK_SIZE_BYTES : (i + 1) * BLOCK_SIZE_BYTES])
            if self.nested:
                if at not in self.pending:
                    self.pending[at] = self.base_versions(at)
                self.pending[at].append(piece)
                self.log.append(Write(at, piece, fua))
            self.current[at] = piece
            self.write_count += 1
            if self.nested and (fua or self.persistence.is_ordered):
                self.maybe_cut()
                del self.pending[at]

    def base_versions(self, block: int) -> list[bytes]:
        """What a block may hold beneath recovery's write."""
        found = self.current.get(block)
        if found is not None:
            return [found]
        return list(self.undecided(block) or [self.window.durable.get(block, ZERO_BLOCK)])

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """A barrier; while power cuts are left, one may come just before it completes."""
        if not self.persistence.is_flushed:
            return
        if self.nested:
            if self.pending:
                self.maybe_cut()
            self.log.append(FLUSH)
        self.pending.clear()

    def maybe_cut(self) -> None:
        """Fork: the power stays, or goes now."""
        if self.choices.choose(2):
            raise PowerCut

    def end_of_recovery(self) -> None:
        """From here on the power stays: what follows tries out the recovered file system."""
        if self.nested and self.pending:
            self.maybe_cut()
        self.nested = 0

    def end_of_looking(self) -> None:
        """What follows makes no difference to the outcome; nothing to do."""

    def reboot(self) -> None:
        """After a PowerCut: what was not flushed is undecided again."""
        self.nested -= 1
        self.depth += 1
        self.logs.append(self.log)
        self.log = []
        self.decided_at.append({})
        for block, versions in self.pending.items():
            self.current.pop(block, None)
            self.versions[block] = list(dict.fromkeys(versions))
        self.pending.clear()

    def crash_image(self) -> CrashImage:
        """What the first power cut left, as far as it was read; the rest as written last."""
        newest = {block: known[-1] for block, known in self.window.versions.items()}
        return CrashImage(self.block_count, (self.decided, newest, self.window.durable))

    def discard(self, block: int, count: int) -> None:
        """Contents stay."""

    def close(self) -> None:
        """Nothing to release."""
