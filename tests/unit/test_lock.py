"""The locks against the requirements: every package at one version within its bounds, and nothing without a hash."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FILES = ("requirements", "requirements-dev")
_ENTRY = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)


def lock(name: str) -> str:
    return (ROOT / f"{name}.lock").read_text(encoding="utf-8")


def locked(name: str) -> dict[str, set[Version]]:
    """Each package's versions: several where systems or Pythons need different ones."""
    versions: dict[str, set[Version]] = {}
    for package, version, _ in _ENTRY.findall(lock(name)):
        versions.setdefault(package, set()).add(Version(version))
    return versions


def required(name: str) -> Iterator[Requirement]:
    """What a requirements file asks for, with that of the one that it includes."""
    for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from required(line.removeprefix("-r ").removesuffix(".txt"))
        elif line and not line.startswith("#"):
            yield Requirement(line)


@pytest.mark.parametrize("name", FILES)
def test_what_is_required_is_locked_within_its_bounds(name: str) -> None:
    versions = locked(name)
    for requirement in required(name):
        package = canonicalize_name(requirement.name)
        assert package in versions, f"{package} is not in {name}.lock: run .ci/lock"
        for version in versions[package]:
            assert version in requirement.specifier, f"{package} {version} is out of bounds: run .ci/lock"


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_locked_for_a_requirement_that_is_gone(name: str) -> None:
    asked = set()
    for part in lock(name).split("# via")[1:]:
        asked |= set(re.findall(r"-r (requirements[a-z-]*\.txt)", part.split("==")[0]))
    assert asked == ({"requirements.txt"} if name == "requirements" else {"requirements.txt", "requirements-dev.txt"})
    entries = re.split(r"^(?=[a-z0-9-]+(?:\[[a-z,]+\])?==)", lock(name), flags=re.MULTILINE)[1:]
    direct = {entry.split("==")[0].split("[")[0] for entry in entries if "-r requirements" in entry}
    assert direct == {canonicalize_name(requirement.name) for requirement in required(name)}, "run .ci/lock"


@pytest.mark.parametrize("name", FILES)
def test_every_locked_package_has_hashes_and_no_other_source(name: str) -> None:
    entries = re.split(r"^(?=[a-z0-9-]+(?:\[[a-z,]+\])?==)", lock(name), flags=re.MULTILINE)[1:]
    assert len(entries) == len(_ENTRY.findall(lock(name))) > 40
    assert [entry.split("==")[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert not re.search(r"https?://|--index|--find-links|^-e |file:", lock(name), re.MULTILINE)


def test_both_locks_say_the_same_of_what_they_share() -> None:
    runtime, dev = locked("requirements"), locked("requirements-dev")
    assert {package: dev.get(package) for package in runtime} == runtime


def test_the_ci_installs_from_the_lock_and_looks_for_known_vulnerabilities() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements-dev.lock" in script
    assert "pip-audit" in script


def test_the_lock_of_the_tools_from_npm_names_what_is_asked_for_and_has_a_hash_for_each() -> None:
    asked = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    root = lock.pop("")
    for kind in ("dependencies", "optionalDependencies", "devDependencies"):
        assert root[kind] == asked[kind]
    assert len(lock) > 100
    assert [name for name, package in lock.items() if not package["integrity"].startswith("sha512-")] == []
