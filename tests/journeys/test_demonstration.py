"""The whole main job, in its own processes and over real HTTP, at a very small scale."""

import csv
import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT


def test_a_day_of_the_metro_is_explained_to_the_last_fen(tmp_path: Path) -> None:
    """Seen to fail when nobody opened the platform's book, and when no refund was sent."""
    played = subprocess.run(
        [
            *(sys.executable, "-m", "simulator.city", "demo"),
            *("--scale", "60000", "--directory", tmp_path / "day"),
        ],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert "Every fen is explained" in played.stdout
    balances = sorted((tmp_path / "day" / "exports").glob("*/trial-balance-all-*.csv"))
    assert balances
    with balances[-1].open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) > 2
