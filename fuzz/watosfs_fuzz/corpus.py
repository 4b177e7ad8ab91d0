"""The corpus of a campaign: traces that showed something that none before them had shown.

In memory it only grows, in the order of trace numbers, so that what a later trace is made from
does not depend on how many processes there are. On disk each trace is a file that ``replay`` runs,
with what it showed in its header, in a folder of its target.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from watosfs_fuzz.case import Case
from watosfs_fuzz.findings import Finding, read_finding, write_whole
from watosfs_fuzz.lockstep import Failure
from watosfs_model.trace import Trace, format_trace, parse_trace

#: Why a corpus trace is on disk, where a finding has its failure.
KEPT = Failure("kept", "-", "")
FEATURES_HEADER = "features"
_SEPARATOR = "; "
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_FOLDER_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True)
class CorpusTrace:
    """A trace and the names of what it showed (``novelty``)."""

    case: Case
    features: frozenset[str]

    @property
    def identity(self) -> str:
        """The same for the same case."""
        return Finding(self.case, KEPT).identity

    def text(self) -> str:
        """As a file."""
        trace = Finding(self.case, KEPT).trace()
        header = dict(trace.header) | {FEATURES_HEADER: _SEPARATOR.join(sorted(self.features))}
        return format_trace(Trace(tuple(header.items()), self.case.operations))


class Corpus:
    """Traces in the order in which they came."""

    def __init__(self, traces: Iterable[CorpusTrace] = ()) -> None:
        self.traces: list[CorpusTrace] = []
        self.seen: set[str] = set()
        for trace in traces:
            self.traces.append(trace)
            self.seen |= trace.features

    def offer(self, trace: CorpusTrace) -> bool:
        """Keep the trace when it shows something new; whether it did."""
        if trace.features <= self.seen:
            return False
        self.seen |= trace.features
        self.traces.append(trace)
        return True

    def minimised(self) -> list[CorpusTrace]:
        """For everything seen the shortest trace that shows it, and all traces without features
        (somebody's, who has a reason). In order; together they show what all of them do.
        """
        best: dict[str, CorpusTrace] = {}
        for trace in sorted(self.traces, key=lambda t: (len(t.case.operations), t.identity)):
            for name in trace.features:
                best.setdefault(name, trace)
        chosen = {id(trace) for trace in best.values()}
        return [trace for trace in self.traces if id(trace) in chosen or not trace.features]


class CorpusFolder:
    """The traces of one target below ``folder``."""

    def __init__(self, folder: Path, target: str) -> None:
        self.target = target
        self.folder = folder / folder_name(target)
        self.folder.mkdir(parents=True, exist_ok=True)

    def read(self) -> Iterator[CorpusTrace]:
        """All that is there, by name; traces of other hands have no features yet. Raises
        ValueError for what is none, or is one of another target.
        """
        for path in sorted(self.folder.glob("*.trace")):
            case = read_finding(path).case
            header = dict(parse_trace(path.read_text(encoding="ascii")).header)
            if case.target != self.target:
                raise ValueError(f"{path}: of target {case.target}, not {self.target}")
            features = header.get(FEATURES_HEADER, "").split(_SEPARATOR)
            yield CorpusTrace(case, frozenset(filter(None, features)))

    def write(self, trace: CorpusTrace) -> Path:
        """Keep a trace; its path."""
        return write_whole(self.folder / f"{trace.identity}.trace", trace.text())

    def prune(self, kept: Iterable[CorpusTrace]) -> int:
        """Remove what we wrote and is not among ``kept``; how many there were."""
        names = {f"{trace.identity}.trace" for trace in kept}
        ours = [path for path in self.folder.glob("*.trace") if _OURS.fullmatch(path.stem)]
        gone = [path for path in ours if path.name not in names]
        for path in gone:
            path.unlink()
        return len(gone)


_OURS = re.compile(r"[0-9a-f]{10}")


def folder_name(target: str) -> str:
    """A target's name as that of a folder, different for different targets."""
    plain = _NOT_IN_NAMES.sub("-", target).strip("-.")[:_FOLDER_LENGTH_MAX]
    return plain if plain == target else f"{plain}-{sha256(target.encode()).hexdigest()[:8]}"
