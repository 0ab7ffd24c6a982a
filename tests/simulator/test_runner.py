"""The simulator as a process of its own."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_it_runs_until_told_to_stop(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", "--port", "0", "--keys", keys],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = line.split()[2]
            listed = f"{url}/control/alipay/trades"
            with urllib.request.urlopen(listed) as answer:  # noqa: S310  loopback
                assert json.load(answer) == []
            assert f'gateway = "{url}/alipay/gateway.do"' in (keys / "alipay-main.toml").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
