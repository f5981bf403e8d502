"""What the dashboard costs in requests, read units, bytes and time: `python -m bench --help`."""

import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The engines and the browser are those that the tests start.
sys.path.insert(0, str(ROOT))

if missing := [name for name in ("streamlit", "scipy", "playwright") if not find_spec(name)]:
    sys.exit(f"The benchmark needs {', '.join(missing)}: pip install -r requirements-dev.txt")
