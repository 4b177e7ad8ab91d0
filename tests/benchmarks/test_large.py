"""What the benchmark of large volumes counts: no operation moves more blocks than the trees are
high, whatever grows. Canary: a lookup that reads the whole directory is caught.
"""

import pytest

from benchmarks import large
from watosfs.wfs3 import directory
from watosfs.wfs3.records import entry_names


@pytest.mark.parametrize(
    "row",
    [
        lambda: large.growing_volume(16 * large.TIB),
        lambda: large.growing_file(large.TIB),
        lambda: large.growing_directory(3000),
        lambda: large.growing_extents(3000),
        lambda: large.growing_snapshots(400),
        lambda: large.growing_snapshots(400, deletes=True),
    ],
)
def test_an_operation_costs_what_the_trees_are_high(row):
    assert_bounded(row())


def assert_bounded(row):
    assert row.mount_blocks <= 8
    assert row.lookup_blocks <= row.lookup_nodes_max
    # Nodes on the ways that changed, a chunk of 16 blocks, the free tree, a superblock.
    assert row.commit_blocks <= row.lookup_nodes_max + 16 + 8


def test_canary_a_lookup_that_reads_everything_is_caught(monkeypatch):
    def lookup(tree, name):
        entries = [raw for _, raw in tree.items() if entry_names(raw, name)]
        return (int.from_bytes(entries[0][:8], "little"), entries[0][8]) if entries else None

    monkeypatch.setattr(directory, "lookup", lookup)
    with pytest.raises(AssertionError):
        assert_bounded(large.growing_directory(600))


def test_the_command_prints_and_keeps_a_table(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="plots need matplotlib (extra 'report')")
    assert large.main(["--share", "0.001", "--out", str(tmp_path)]) == 0
    table = (tmp_path / "large.md").read_text()
    assert table in capsys.readouterr().out
    assert "| volume | 16 TiB |" in table
    assert (tmp_path / "large.png").read_bytes().startswith(b"\x89PNG")
