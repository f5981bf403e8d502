"""The environment of this process: its variables, and what the .env file beside dashboard.py adds to them."""

import io
import os
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from data.files import leads_nowhere, require_no_pipe
from data.schema import FUNCTIONS, TABLES
from data.settings import COMMAND_VARIABLES, ENDPOINTS, ENV_FILE, VARIABLES, Settings, SettingsError, value_of

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_WINDOWS_PATH = re.compile(r'"((?:[A-Za-z]:|\\)\\[^"\n]*)"')
_BESIDE = Path(__file__).parent.parent / ".env"

_OURS = ("BANDUP_", "DYNAMODB_", "AWS_")
_ENDPOINT = "AWS_ENDPOINT_URL"  # empty is refused there, so it has to stay

_PROFILE = "AWS_PROFILE"
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")  # the first comes before the second
_OF_AWS = (*_REGIONS, *ENDPOINTS, "BANDUP_ALARM_TOPIC")  # what the demo does without
_DEFAULTS = {
    "BANDUP_SOURCE": "demo",
    "BANDUP_ALLOW_CHANGES": "0",
    **{table.variable: table.default_name for table in TABLES},
    **{function.variable: function.default_name for function in FUNCTIONS},
}

_from_file: dict[str, str] = {}
"""Variables of this process that the file has set, and which file that was."""
_overruled: dict[str, str] = {}
"""Variables that the file names too, but that were set before."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting and where it comes from. `value` is None where it may be a secret, empty where nothing is set.

    `origin` is "environment", the path of the .env file, or empty for the default. `overruled` is the path of the file
    that names it too, after it was set. What nothing reads, as the other settings are, is not `is_read`.
    """

    name: str
    value: str | None
    origin: str
    overruled: str
    is_read: bool


def load(environ: MutableMapping[str, str]) -> None:
    """Set what the .env file says and `environ` does not, for us and for boto3; SettingsError when it is unusable.

    The file is the one that BANDUP_ENV_FILE names, else the one beside dashboard.py, which need not be there.
    A variable that is empty counts as not set, for boto3 too, which would look for a profile without a name.
    """
    for name in [name for name, value in environ.items() if _is_unset(name, value)]:
        del environ[name]
    named = value_of(environ, ENV_FILE)
    path = Path(os.path.expanduser(named)) if named else _BESIDE
    if not named and not path.exists() and not leads_nowhere(path):
        return
    for name, value in _lines(path):
        if _is_unset(name, value):
            continue
        if name not in environ:
            environ[name] = value
            _from_file[name] = str(path)
        elif name not in _from_file:
            _overruled[name] = str(path)


def _is_unset(name: str, value: str) -> bool:
    return not value.strip() and name.startswith(_OURS) and not name.startswith(_ENDPOINT)


def read_settings() -> Settings:
    """The settings of this process, with what the .env file says; SettingsError when something cannot be used."""
    load(os.environ)
    return Settings.read(os.environ)


def origins(environ: MutableMapping[str, str] = os.environ) -> list[Setting]:
    """Each setting of the dashboard, set or not; then what is set for `python -m bandup`, or by the file for boto3.

    Only values that cannot be secret are in it.
    """
    others = {*(name for name in COMMAND_VARIABLES if value_of(environ, name)), *_from_file, *_overruled} - {*VARIABLES}
    return [_setting(name, environ) for name in (*VARIABLES, *sorted(others))]


def _setting(name: str, environ: MutableMapping[str, str]) -> Setting:
    value = value_of(environ, name)
    origin = _from_file.get(name, "environment") if value else ""
    is_open = name in (*VARIABLES, _PROFILE) and not (name in ENDPOINTS and "@" in value)
    public = (value or _DEFAULTS.get(name, "")) if is_open else None
    return Setting(name, public, origin, overruled=_overruled.get(name, ""), is_read=_is_read(name, environ))


def _is_read(name: str, environ: MutableMapping[str, str]) -> bool:
    """Whether anything reads the variable as the others are."""
    if name in _OF_AWS and value_of(environ, "BANDUP_SOURCE").strip().lower() != "aws":
        return False
    return name != _REGIONS[1] or not value_of(environ, _REGIONS[0])


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Names and values of a .env file, letter for letter: a dollar sign in a password is one."""
    try:
        require_no_pipe(path)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"The settings in {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings in {path} are not in UTF-8: save the file as UTF-8.") from error
    lines: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(text)):
        # A statement begins with the blank lines before it.
        skipped = binding.original.string[: -len(binding.original.string.lstrip()) or None].count("\n")
        line = binding.original.line + skipped
        if binding.error or (binding.key and (binding.value is None or not _NAME.fullmatch(binding.key))):
            raise SettingsError(f"Line {line} of {path} cannot be read: write NAME=value.")
        if not binding.key or binding.value is None:
            continue
        if "\0" in binding.value:
            raise SettingsError(f"{binding.key} in line {line} of {path} has a zero byte: write it anew.")
        if binding.key in lines:
            raise SettingsError(
                f"{binding.key} is in {path} twice, in lines {lines[binding.key]} and {line}: keep one."
            )
        if binding.key.startswith("STREAMLIT_"):
            raise SettingsError(
                f"{binding.key} in line {line} of {path} comes too late for Streamlit: set it in "
                ".streamlit/config.toml or as a variable."
            )
        lines[binding.key] = line
        # Between double quotes \n is a line break and \t a tab, but not in a path of Windows.
        windows = _WINDOWS_PATH.fullmatch(binding.original.string.partition("=")[2].strip())
        yield binding.key, windows[1] if windows else binding.value
