"""A third skill in data/schema.py alone breaks no page: it is shown beside the two."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.app import ROOT

pytestmark = pytest.mark.slow  # a process of its own

# As an engineer would write it into data/schema.py; everything else is imported after that.
EDITED = """
import sys, types
import data
name, path = "data.schema", "data/schema.py"
text = open(path, encoding="utf-8").read()
line = "SPEAKING: SPEAKING_CRITERIA}"
assert text.count(line) == 1
third = 'SPEAKING: SPEAKING_CRITERIA, "reading": {"skimming_band": "Skimming", "lexical_band": "Lexical resource"}}'
module = sys.modules[name] = data.schema = types.ModuleType(name)
exec(compile(text.replace(line, third), path, "exec"), module.__dict__)
"""
SHOWN = """
import json, time
from data.demo.engine import write
from data.demo.sample import SEED_STUDENT
from data.schema import EVALUATIONS
from queries import source
from tests.support.app import scores, show, words
from ui.shell import sign_in

# As tests/conftest.py: pages that run in process have no connection, and this machine's secrets are none of theirs.
sign_in._client, sign_in._secrets = (lambda: None), dict
store = source.store()
now = int(time.time())
write(store.client, store.settings.name(EVALUATIONS), [
    {"evaluation_id": f"read-{n}", "user_id": SEED_STUDENT, "evaluation_type": "reading", "status": "completed",
     "overall_band": f"{3 + n / 2}", "skimming_band": "6.0", "lexical_band": "5.5", "feedback": "{}",
     "model_used": f"model-{n // 6}", "created_at": now - 86400 * (29 - 2 * n)}
    for n in range(12)
])
pages = {}
for name, page, params in (
    ("overview", "pages/overview.py", {}),
    ("student", "pages/student.py", {"user_id": SEED_STUDENT}),
    ("audit", "pages/audit.py", {}),
    ("jobs", "pages/jobs.py", {}),
    ("evaluation", "pages/evaluation.py", {"evaluation_id": "read-11", "user_id": SEED_STUDENT}),
    ("compare", "pages/compare.py", {"user_id": SEED_STUDENT, "a": "read-10", "b": "read-11"}),
):
    app = show(page, params)
    grids = [str(column) for frame in app.dataframe for column in frame.value.columns]
    pages[name] = {"words": words(app), "scores": scores(app), "columns": grids, "errors": len(app.error)}
print(json.dumps(pages))
"""


Shown = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def pages() -> Shown:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BANDUP_", "DYNAMODB_"))
    }
    command = [sys.executable, "-c", EDITED + SHOWN]
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    answer: Shown = json.loads(run.stdout.splitlines()[-1])
    return answer


def test_no_part_of_any_page_breaks(pages: Shown) -> None:
    assert {name: page["errors"] for name, page in pages.items()} == dict.fromkeys(pages, 0)
    assert [name for name, page in pages.items() if "error in the dashboard" in page["words"]] == []


def test_the_third_skill_stands_beside_the_two(pages: Shown) -> None:
    assert {"Writing", "Speaking", "Reading", "Reading change", "Reading attempts"} <= set(pages["overview"]["columns"])
    assert {"Writing", "Speaking", "Reading"} <= set(pages["student"]["words"].split("\n"))
    assert "Skimming" in pages["student"]["columns"]
    bands = {"Reading band": "8.5 +0.5", "Skimming": "6.0 0.0", "Lexical resource": "5.5 0.0"}
    assert {name: pages["evaluation"]["scores"].get(name) for name in bands} == bands
    assert "Skimming" in pages["compare"]["words"]
    assert "model-0" in pages["audit"]["words"]
