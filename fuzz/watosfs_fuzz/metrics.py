"""What campaigns did, in an SQLite file: history, coverage over time, findings (docs/METRICS.md).

Written while a campaign runs, so that a report can be made of one that is not over, and nothing is
lost when it is killed.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from watosfs_fuzz.provenance import commit, version
from watosfs_fuzz.swarm import EPOCH_TRACES, swarm_of
from watosfs_fuzz.tally import Settings, Tally

SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS campaigns (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,            -- UTC, ISO 8601
    target TEXT NOT NULL,
    seed INTEGER NOT NULL,
    device TEXT NOT NULL,
    nested INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    canary TEXT,                      -- the planted fault, if any
    "commit" TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL               -- running, done or interrupted
);
CREATE TABLE IF NOT EXISTS samples (
    campaign INTEGER NOT NULL REFERENCES campaigns,
    seconds REAL NOT NULL,            -- since the start
    traces INTEGER NOT NULL,
    operations INTEGER NOT NULL,
    crash_points INTEGER NOT NULL,
    images TEXT NOT NULL,             -- legal crash images covered: outgrows 64 bits
    images_left_out TEXT NOT NULL,
    recoveries INTEGER NOT NULL,
    features INTEGER NOT NULL,        -- different ones so far
    singletons INTEGER NOT NULL,      -- of these, seen exactly once
    findings INTEGER NOT NULL,
    corpus INTEGER NOT NULL DEFAULT 0,     -- traces kept
    novelties INTEGER NOT NULL DEFAULT 0,  -- different things that they showed
    PRIMARY KEY (campaign, seconds)
);
CREATE TABLE IF NOT EXISTS features (
    campaign INTEGER NOT NULL REFERENCES campaigns,
    name TEXT NOT NULL,               -- operation and errno, or a property of the state
    count INTEGER NOT NULL,
    first_seconds REAL NOT NULL,
    PRIMARY KEY (campaign, name)
);
CREATE TABLE IF NOT EXISTS findings (
    campaign INTEGER NOT NULL REFERENCES campaigns,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    operations INTEGER NOT NULL,
    seconds REAL NOT NULL,            -- when it was found
    story TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (campaign, id)
);
CREATE TABLE IF NOT EXISTS swarms (
    campaign INTEGER NOT NULL REFERENCES campaigns,
    epoch INTEGER NOT NULL,           -- 64 traces in a row
    configuration TEXT NOT NULL,
    traces INTEGER NOT NULL,
    operations INTEGER NOT NULL,
    kept INTEGER NOT NULL,            -- traces that joined the corpus
    findings INTEGER NOT NULL,
    PRIMARY KEY (campaign, epoch)
);
"""
#: What an older file lacks, by its version.
UPGRADES = {
    1: """
ALTER TABLE samples ADD COLUMN corpus INTEGER NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN novelties INTEGER NOT NULL DEFAULT 0;
""",
}
SAMPLE_SECONDS = 1.0


class Recorder:
    """Writes one campaign; call it with the tally as that grows."""

    def __init__(self, connection: sqlite3.Connection, settings: Settings) -> None:
        self.connection = connection
        self.settings = settings
        self.sampled = -SAMPLE_SECONDS
        self.findings = 0
        self.epoch = 0
        before = self.resumed() if settings.resume else None
        self.campaign: int = self.begun() if before is None else before

    def resumed(self) -> int | None:
        """The campaign of this target and seed that was kept last goes on; None without one."""
        with self.connection as connection:
            row = connection.execute(
                "SELECT max(id) FROM campaigns WHERE target = ? AND seed = ? AND canary IS ?",
                (self.settings.target, self.settings.seed, self.settings.canary),
            ).fetchone()
            connection.execute("UPDATE campaigns SET state = 'running' WHERE id = ?", (row[0],))
        campaign: int | None = row[0]
        return campaign

    def begun(self) -> int:
        """The row of a new campaign."""
        settings, connection = self.settings, self.connection
        row = (
            datetime.now(UTC).isoformat(timespec="seconds"), settings.target, settings.seed,
            settings.device, settings.nested, settings.jobs, settings.canary, commit(), version(),
            "running",
        )  # fmt: skip
        with connection:
            cursor = connection.execute(
                "INSERT INTO campaigns (started, target, seed, device, nested, jobs, canary,"
                ' "commit", version, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
                row,
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def __call__(self, tally: Tally) -> None:
        """A sample now and then, and with each finding."""
        is_due = tally.seconds - self.sampled >= SAMPLE_SECONDS
        if is_due or len(tally.findings) > self.findings:
            self.sample(tally)

    def sample(self, tally: Tally) -> None:
        """Keep the figures as they are."""
        self.sampled = tally.seconds
        exploration, features = tally.exploration, tally.features
        row = (
            self.campaign, tally.seconds, tally.traces, tally.operations, exploration.windows,
            str(exploration.images), str(exploration.images_left_out), exploration.recoveries,
            len(features), sum(count == 1 for count in features.values()), len(tally.findings),
            tally.corpus, tally.novelties,
        )  # fmt: skip
        out = self.settings.out or Path()
        found = [
            (self.campaign, f.identity, f.failure.kind, f.failure.subject, len(f.case.operations),
             tally.seconds, f.failure.story, str(out / f"{f.identity}.trace"))
            for f in tally.findings[self.findings :]
        ]  # fmt: skip
        self.findings = len(tally.findings)
        with self.connection as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO samples VALUES ({', '.join('?' * len(row))})", row
            )
            connection.executemany(
                "INSERT INTO features VALUES (?, ?, ?, ?) ON CONFLICT (campaign, name)"
                " DO UPDATE SET count = excluded.count",
                [(self.campaign, n, count, tally.seconds) for n, count in features.items()],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", found
            )
            connection.executemany(
                "INSERT OR REPLACE INTO swarms VALUES (?, ?, ?, ?, ?, ?, ?)", self.swarms(tally)
            )

    def swarms(self, tally: Tally) -> list[tuple[object, ...]]:
        """The rows of epochs that may have changed since the last sample."""
        epochs = [epoch for epoch in tally.swarms if epoch >= self.epoch]
        self.epoch = max(epochs, default=self.epoch)
        return [
            (self.campaign, epoch, str(swarm_of(self.settings.seed, epoch * EPOCH_TRACES)),
             figures.traces, figures.operations, figures.kept, figures.findings)
            for epoch in epochs for figures in [tally.swarms[epoch]]
        ]  # fmt: skip

    def finish(self, tally: Tally) -> None:
        """The last sample."""
        self.sample(tally)
        state = "interrupted" if tally.is_interrupted else "done"
        with self.connection as connection:
            connection.execute(
                "UPDATE campaigns SET state = ? WHERE id = ?", (state, self.campaign)
            )


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, made when it is not there. Raises ValueError when it is something else."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if found not in (*UPGRADES, SCHEMA_VERSION) and (found or tables):
                raise ValueError(f"{path}: not metrics of this version ({SCHEMA_VERSION})")
            with connection:
                connection.executescript(UPGRADES.get(found, ""))
                connection.executescript(SCHEMA)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{path}: no metrics: {error}") from None
        connection.row_factory = sqlite3.Row
        yield connection


class Kept(NamedTuple):
    """A campaign as it was kept: rows of the tables, samples by time, features by name."""

    campaign: dict[str, Any]
    samples: Sequence[dict[str, Any]]
    features: Sequence[dict[str, Any]]
    findings: Sequence[dict[str, Any]]
    swarms: Sequence[dict[str, Any]] = ()


def read(path: Path) -> list[Kept]:
    """Every campaign of a file that has samples, oldest first. Raises ValueError, also when there
    is no such file.
    """
    if not path.exists():
        raise ValueError(f"{path}: no such file (campaign --metrics FILE writes one)")
    with opened(path) as connection:

        def rows(query: str, *values: object) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(query, values)]

        found = [
            Kept(
                campaign,
                rows("SELECT * FROM samples WHERE campaign = ? ORDER BY seconds", campaign["id"]),
                rows("SELECT * FROM features WHERE campaign = ? ORDER BY name", campaign["id"]),
                rows("SELECT * FROM findings WHERE campaign = ? ORDER BY seconds", campaign["id"]),
                rows("SELECT * FROM swarms WHERE campaign = ? ORDER BY epoch", campaign["id"]),
            )
            for campaign in rows("SELECT * FROM campaigns ORDER BY id")
        ]
    return [kept for kept in found if kept.samples]
