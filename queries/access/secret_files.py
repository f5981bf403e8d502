"""secrets.toml as the dashboard and `python -m bandup` read it: the same files, anew each time.

Streamlit's own st.secrets says of a file that it cannot read the same as of none, and no longer follows a file that was
broken once: a role that was taken away would stay.
"""

import logging
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data.files import leads_nowhere, require_no_pipe
from queries.access.rules import AccessError

log = logging.getLogger(__name__)

VARIABLE = "STREAMLIT_SECRETS_FILES"
_BESIDE = Path(__file__).parents[2] / ".streamlit"


def paths(environ: Mapping[str, str]) -> list[str]:
    """Where Streamlit looks for secrets.toml, for a process that is not the server; of several, the last one counts.

    Started in the same folder with the same variables and config.toml, the server looks there too, unless it is told
    otherwise on its command line (`--secrets.files`). AccessError when a config.toml cannot be read.
    """
    # As click does, which reads it for Streamlit.
    if named := environ.get(VARIABLE, "").split():
        return named
    try:
        folders = list(dict.fromkeys([Path.home() / ".streamlit", Path.cwd() / ".streamlit", _BESIDE]))
    except (OSError, RuntimeError) as error:
        raise AccessError(
            "Where secrets.toml is cannot be told: the current folder is gone, or there is no home."
        ) from error
    files: Any = [str(folder / "secrets.toml") for folder in folders]
    for folder in folders:
        section = (_content(folder / "config.toml") or {}).get("secrets")
        files = section.get("files", files) if isinstance(section, dict) else files
    if not isinstance(files, list) or not all(isinstance(path, str) for path in files):
        raise AccessError("In config.toml, files in [secrets] is no list of paths.")
    return files


def read(files: Iterable[str]) -> dict[str, Any]:
    """What these files say together, empty when there are none; AccessError when one cannot be read."""
    merged: dict[str, Any] = {}
    for path in files:
        merged |= _content(Path(path)) or {}
    return merged


def sections(files: Iterable[str]) -> dict[str, str]:
    """The sections of these files, and the file that each is taken from; AccessError when one cannot be read."""
    return {name: path for path in files for name in _content(Path(path)) or ()}


def _content(path: Path) -> dict[str, Any] | None:
    """What a file says; None where there is none.

    Only what is surely not there is none: rights hang on it, and a link that leads nowhere is a file out of reach.
    """
    try:
        require_no_pipe(path)
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, FileNotFoundError) and not leads_nowhere(path):
            return None
        log.warning("%s cannot be read: %s", path, error)
        raise AccessError(f"{path.name} cannot be read; the log says why.") from error
