"""``watosfs-prove`` while there are no proofs: it says so and fails, never silent."""

import subprocess
import sys

import pytest

from watosfs_proofs.__main__ import main


def test_prove_says_that_it_is_not_built_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not built yet" in printed.err


def test_help_explains_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "watosfs-prove" in capsys.readouterr().out


def test_python_m_is_the_same_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "watosfs_proofs"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "not built yet" in ran.stderr
