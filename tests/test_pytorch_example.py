"""The example of PyTorch, as a user runs it."""

import re
from pathlib import Path

import pytest
from documents import ROOT, run_python


@pytest.mark.slow
def test_the_points_of_the_example_do_not_move_in_pytorch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = str(ROOT / "examples" / "pytorch_gru.py")
    code = f"import runpy; runpy.run_path({script!r}, run_name='__main__')"
    out = run_python(code, tmp_path, timeout=900)
    assert float(re.findall(r"largest move in PyTorch: (\S+)", out)[0]) < 1e-8
    assert "stable point with outputs" in out
