"""What the dashboard costs in requests, read units, bytes and time: `python -m bench --help`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The engines and the browser are those that the tests start.
sys.path.insert(0, str(ROOT))
