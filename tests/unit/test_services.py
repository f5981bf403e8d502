"""The files of systemd and Caddy that docs/operations.md has, as these programs themselves read them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import unavailable
from tests.support.docs import doc

pytestmark = pytest.mark.slow

TEXT = doc("operations").read_text(encoding="utf-8")
UNITS = ("bandup.service", "bandup-check.service", "bandup-check.timer")
SITES = re.findall(r"```caddyfile\n(.*?)```", TEXT, re.DOTALL)


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    if not path:
        unavailable(f"{name} is not there: apt-get install {package}")
    return path


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, on programs that are there."""
    folder = tmp_path / "bandup"
    for name in ("streamlit", "python"):
        path = folder / ".venv/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
    for name, unit in zip(UNITS, re.findall(r"```ini\n(.*?)```", TEXT, re.DOTALL), strict=True):
        assert f"`{name}`" in TEXT or f"/{name}`" in TEXT
        (tmp_path / name).write_text(unit.replace("/opt/bandup", str(folder)), encoding="utf-8")
    return tmp_path


def verified(folder: Path) -> str:
    """What systemd says against the units."""
    command = [program("systemd-analyze", "systemd"), "verify", "--man=no", *(f"./{name}" for name in UNITS)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


def test_systemd_takes_every_unit_as_it_stands(units: Path) -> None:
    assert verified(units) == ""


def test_systemd_would_say_what_is_wrong_in_a_unit(units: Path) -> None:
    unit = units / UNITS[0]
    unit.write_text(unit.read_text(encoding="utf-8").replace(".venv/bin/streamlit", "none"), encoding="utf-8")
    assert "none is not executable" in verified(units)


@pytest.mark.parametrize("site", SITES)
def test_caddy_takes_every_site_as_it_stands(site: str, tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    file.write_text(site, encoding="utf-8")
    command = [program("caddy", "caddy"), "validate", "--config", str(file), "--adapter", "caddyfile"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={"HOME": str(tmp_path), "PATH": ""}
    )
    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr
