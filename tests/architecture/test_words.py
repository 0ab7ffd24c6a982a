"""What may stand in no file: a machine's path, an address of a package registry, a real secret."""

import re
import subprocess

from tests.architecture.sources import ROOT

HOME_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home/\w+|Users/\w+|tmp)/\S")
REGISTRY = re.compile(r"(?:files\.)?python" r"hosted\.org|py" r"pi\.org|registry\.np" r"mjs\.org")
ADDRESS_IN_LOCK = re.compile(r"https?://|--(?:extra-)?index-url|--find-links")


def tracked_texts() -> dict[str, str]:
    """Every tracked text file, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    texts = {}
    for name in filter(None, listed.split("\0")):
        raw = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in raw:
            texts[name] = raw.decode("utf-8", "replace")
    return texts


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name}: {match.group()}"
        for name, text in tracked_texts().items()
        for pattern in (HOME_PATH, REGISTRY)
        for match in pattern.finditer(text)
    ]
    assert not found, f"take it out: {found}"


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert not ADDRESS_IN_LOCK.search(text), name
        pinned = re.findall(r"^[a-z0-9].*==\S+", text, re.MULTILINE)
        assert len(pinned) > 30
        assert text.count("--hash=sha256:") >= len(pinned)
