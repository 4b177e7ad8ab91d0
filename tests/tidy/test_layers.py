"""Imports point one way (STYLE rules 1 and 2), and the test that says so catches a violation."""

import pytest

from tests.tidy.layers import IMPL_LAYERS, violations
from tests.tidy.sources import SOURCE_ROOTS, Source, sources


def test_imports_point_one_way() -> None:
    assert [problem for source in sources() for problem in violations(source)] == []


def test_every_source_root_is_looked_at() -> None:
    looked_at = {source.path.partition("/")[0] for source in sources()}
    assert looked_at >= {*SOURCE_ROOTS, "tests"}


@pytest.mark.parametrize(
    ("path", "statement", "reason"),
    [
        ("model/watosfs_model/step.py", "import watosfs.errors", "watosfs_model may not import"),
        ("model/watosfs_model/step.py", "import immutables", "may not depend on immutables"),
        ("impl/watosfs/wfs3/volume.py", "from watosfs_model import step", "watosfs may not import"),
        ("impl/watosfs/wfs3/volume.py", "from watosfs_fuzz import seeds", "watosfs may not import"),
        ("impl/watosfs/wfs3/volume.py", "from watosfs import cli", "layer wfs3 may not import"),
        ("impl/watosfs/wfs3/volume.py", "from watosfs.vfs import paths", "layer wfs3 may not"),
        ("impl/watosfs/wfs3/volume.py", "import watosfs.fat.volume", "layer wfs3 may not import"),
        ("impl/watosfs/block/file.py", "import watosfs.wfs3.format", "layer block may not import"),
        ("impl/watosfs/errors.py", "import watosfs.block.device", "layer errors may not import"),
        ("impl/watosfs/vfs/paths.py", "from watosfs.kernel import fd_table", "layer vfs may not"),
        ("impl/watosfs/wfs3/volume.py", "from watosfs import Volume", "import it from where"),
        ("impl/watosfs/wfs3/volume.py", "import watosfs", "layer wfs3 may not import watosfs"),
        ("impl/watosfs/new/thing.py", "import watosfs.errors", "no place in IMPL_LAYERS"),
        ("impl/watosfs/wfs3/volume.py", "import rich", "only watosfs.cli may import rich"),
        ("impl/watosfs/block/file.py", "import hypothesis", "may not depend on hypothesis"),
        ("impl/watosfs/wfs3/extents.py", "import watosfs.wfs3.volume", "a pure kernel may not"),
        ("impl/watosfs/wfs3/check.py", "import watosfs.wfs3.btree", "the independent checker"),
        ("impl/watosfs/wfs3/checker/x.py", "import watosfs.wfs3.btree", "the independent checker"),
        ("fuzz/watosfs_fuzz/lockstep.py", "import watosfs_proofs", "watosfs_fuzz may not import"),
        ("fuzz/watosfs_fuzz/lockstep.py", "import z3", "may not depend on z3"),
        ("fuzz/watosfs_fuzz/lockstep.py", "import pytest", "only watosfs_fuzz.pytest_plugin may"),
        ("tests/impl/test_x.py", "import z3", "only proofs may import z3"),
        ("benchmarks/x.py", "from z3 import Int", "only proofs may import z3"),
        ("proofs/watosfs_proofs/x.py", "import watosfs.wfs3.volume", "pure kernels only"),
        ("proofs/watosfs_proofs/report.py", "import watosfs_fuzz.case", "watosfs_proofs may not"),
        ("proofs/watosfs_proofs/traces.py", "import watosfs.wfs3.volume", "pure kernels only"),
        ("fuzz/watosfs_fuzz/x.py", "def f():\n    import tests.impl", "may not depend on tests"),
    ],
)
def test_canary_a_forbidden_import_is_caught(path: str, statement: str, reason: str) -> None:
    (problem,) = violations(Source(path, statement))
    assert problem.startswith(path)
    assert reason in problem


@pytest.mark.parametrize(
    ("path", "statement"),
    [
        (
            "model/watosfs_model/step.py",
            "import dataclasses\nfrom watosfs_model.trace import parse",
        ),
        ("impl/watosfs/wfs3/volume.py", "import zstandard\nimport watosfs.block.device"),
        ("impl/watosfs/__init__.py", "from watosfs.wfs3.volume import Volume"),
        ("impl/watosfs/cli/main.py", "import rich.table\nimport watosfs.wfs3.volume"),
        ("fuzz/watosfs_fuzz/x.py", "import hypothesis, watosfs.wfs3.volume, watosfs_model.trace"),
        ("proofs/watosfs_proofs/x.py", "import z3\nimport watosfs.wfs3.extents"),
        ("proofs/watosfs_proofs/traces.py", "import watosfs_fuzz.case"),
    ],
)
def test_a_permitted_import_is_left_alone(path: str, statement: str) -> None:
    assert violations(Source(path, statement)) == []


def test_no_two_file_systems_may_import_one_another() -> None:
    assert IMPL_LAYERS["wfs3"] == IMPL_LAYERS["wfs2"] == IMPL_LAYERS["fat"]
