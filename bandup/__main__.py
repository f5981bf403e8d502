"""`python -m bandup COMMAND`: each command is a module with `add_to`."""

import argparse
import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

COMMANDS = ("check", "demo", "setup", "summary")


class Parser(argparse.ArgumentParser):
    """A parser whose wrong usage ends with exit code 1, as any error does: commands give 2 a meaning of their own."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and how it is meant."""
        self.print_usage(sys.stderr)
        self.exit(self.get_default("usage_code") or 1, f"{self.prog}: {message}\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what a command does not know: argparse would leave that to the parser above, with its own usage."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code."""
    parser = Parser("python -m bandup", description="The BandUp dashboard's command line.")
    commands = parser.add_subparsers(title="commands", required=True)
    # Only the one that is called: SciPy alone, which `summary` needs, would double the time of a check.
    for name in [name for name in COMMANDS if name in arguments[:1]] or COMMANDS:
        import_module(f"bandup.{name}").add_to(commands)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    # It ends within seconds: at its usual pace the collector takes a tenth of the time and finds next to nothing.
    # At the end it would look through everything once more, which takes a fifth of a check.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    if sys.stdout is None:  # closed by who started it (`>&-`): as an output that takes nothing
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    # A name in letters that the output cannot hold, such as a file's on Windows, is no error.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C: a command says where it was stopped
    try:
        try:
            exit_code = main(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        exit_code = 130  # as shells say it
    except OSError as error:
        # Whoever reads the output has enough of it (`| head`), https://docs.python.org/3/library/signal.html#note-on-sigpipe
        # To monitoring 1 is a warning, which nobody has judged: 3 is unknown.
        exit_code = 3 if sys.argv[1:2] == ["check"] else 1
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError, AttributeError):  # both outputs may be full or closed
                sys.stderr.write(f"python -m bandup: the output could not be written: {error.strerror or error}.\n")
                sys.stderr.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in filter(None, (sys.stdout, sys.stderr)):  # what is left of either is not tried again at the end
            os.dup2(nowhere, output.fileno())
    sys.exit(exit_code)
