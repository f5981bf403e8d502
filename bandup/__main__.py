"""`python -m bandup setup`."""

import sys

from bandup import setup

if __name__ == "__main__":
    if sys.argv[1:2] != ["setup"]:
        print("usage: python -m bandup setup [--help]", file=sys.stderr)
        sys.exit(1)
    sys.exit(setup.main(sys.argv[2:]))
