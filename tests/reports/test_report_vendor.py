"""What is vendored is what was published, and is written down."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "src" / "tokenbudget" / "reports" / "html" / "vendor"


def test_files_are_as_their_page_says() -> None:
    rows = re.findall(
        r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", (VENDOR / "README.md").read_text()
    )
    assert {name for name, _ in rows} == {
        path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")
    }
    for name, digest in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_the_licence_is_there_and_named() -> None:
    assert "MIT License" in (VENDOR / "uPlot.LICENSE").read_text()
    assert "`uPlot.LICENSE`" in (VENDOR / "README.md").read_text()


def test_the_version_is_the_one_in_the_file() -> None:
    version = re.search(r"uPlot \(v([\d.]+)\)", (VENDOR / "uPlot.iife.min.js").read_text()[:300])
    assert version is not None
    assert f"| {version[1]} |" in (VENDOR / "README.md").read_text()
