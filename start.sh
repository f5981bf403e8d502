#!/bin/sh
# Starts the dashboard: double-click it, or run ./start.sh. The first time it installs what the dashboard needs, into the
# folder .venv here and nowhere else; delete that folder to undo it. Needs Python 3.11 or newer.
set -u
CDPATH= cd -- "$(dirname -- "$0")" || exit 1

# The window must stay open until what went wrong has been read.
stop() {
  printf '\n%s\n' "$1"
  if [ -t 0 ]; then printf 'Press Enter to close this window. ' && read -r _; fi
  exit 1
}

python=
for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
  if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
[ -n "$python" ] || stop 'Python 3.11 or newer is needed and was not found. Get it from https://www.python.org/downloads/ (on Debian and
Ubuntu: sudo apt install python3 python3-venv), then start this again.'

# Made anew where it is missing, was cut off, was moved here, or belongs to a Python that is gone.
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
  echo 'Making a place for the packages: the folder .venv here.'
  rm -rf .venv
  "$python" -m venv .venv || stop 'The folder .venv could not be made. Is there room on the disk, and may you write here?'
fi

# Again only when what is asked for has changed.
if ! cmp -s requirements.lock .venv/installed; then
  echo 'Installing the packages, about 760 MB. This takes a few minutes, the first time only.'
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock ||
    stop 'The packages could not be installed. Is there a connection to the internet? Then start this again.'
  cp requirements.lock .venv/installed
fi

echo 'Starting. Your browser opens in a moment. Keep this window open: closing it, or Ctrl+C, ends the dashboard.'
.venv/bin/python -m streamlit run dashboard.py "$@" || stop 'The dashboard has ended with an error; the lines above say which.'
