"""`python -m bandup COMMAND`."""

import sys

from bandup import setup

USAGE = """usage: python -m bandup setup [options]

  setup    show what would bring both tables and the Lambdas into the declared state, or do it

python -m bandup setup --help lists the options.
"""


def main(arguments: list[str]) -> int:
    """Run a command; its exit code. 1 where there is no such command."""
    if arguments[:1] == ["setup"]:
        return setup.main(arguments[1:])
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    print(USAGE, end="", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
