"""What a dashboard on real tables never loads, and what it loads only when a file is made: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMOS = ["moto", "flask", "flask_cors", "werkzeug", "responses", "docker", "py_partiql_parser"]
FILES = ["genanki", "matplotlib"]
WATCHED = """
import importlib, pathlib, sys
for layer in ("ui", "queries", "exports", "wording", "analysis", "bandup"):
    for path in sorted(pathlib.Path(layer).rglob("*.py")):
        if path.stem != "__main__":
            importlib.import_module(path.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"))
from queries import source
"""
SAY = "print(*sorted({name.split('.')[0] for name in sys.modules}))"


def loaded(source: str, script: str) -> set[str]:
    """Which of the watched packages a process has loaded in the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BANDUP_"))}
    environ |= {
        "BANDUP_ENV_FILE": os.devnull,
        "BANDUP_SOURCE": source,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    code = f"{WATCHED}\n{script}\n{SAY}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True, timeout=240
    )
    return set(done.stdout.split()) & {*DEMOS, *FILES}


def test_where_real_tables_are_read_neither_the_demos_packages_nor_those_of_files_are_loaded() -> None:
    assert loaded("aws", "source.store(); source.class_list()") == set()


@pytest.mark.slow
def test_the_demo_loads_its_own_and_a_deck_loads_its_own() -> None:
    assert "moto" in loaded("demo", "source.store()")
    assert loaded("aws", "from exports import anki; anki._model()") == {"genanki"}


def test_a_command_loads_no_page_and_nothing_of_the_other_commands() -> None:
    script = "import sys; from bandup.__main__ import main\ntry: main(['check', '--help'])\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}{SAY}"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240
    )
    packages = set(done.stdout.splitlines()[-1].split())
    assert "pandas" in packages
    assert packages.isdisjoint({"streamlit", "plotly", "scipy", *DEMOS, *FILES})


def test_what_teachers_open_loads_nothing_that_changes_an_account() -> None:
    script = """
import importlib, pathlib, sys
for folder in ("ui/server", "ui/shell", "ui/components", "ui/students", "ui/jobs", "ui/quality", "exports"):
    for path in sorted(pathlib.Path(folder).glob("*.py")):
        importlib.import_module(path.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"))
print(*sorted(name for name in sys.modules if name == "boto3" or name.startswith("data.provisioning.")))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_the_first_page_imports_is_there_before_anybody_comes() -> None:
    script = """
import sys
from ui.server import lifespan
lifespan.get_ready()
before = set(sys.modules)
from streamlit.testing.v1 import AppTest
AppTest.from_file("dashboard.py", default_timeout=60).run()
layers = ("ui", "queries", "exports", "wording", "analysis", "data", "pandas", "plotly", "scipy")
print("new:", *sorted(name for name in set(sys.modules) - before if name.split(".")[0] in layers))
"""
    environ = {**os.environ, "BANDUP_ENV_FILE": os.devnull, "BANDUP_SOURCE": "demo"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "new:"
