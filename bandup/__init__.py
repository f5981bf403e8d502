"""The command line: `python -m bandup`."""
