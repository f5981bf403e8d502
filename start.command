#!/bin/sh
# For the Finder of macOS, which opens files of this name in a terminal. start.sh does the work.
exec "$(dirname -- "$0")/start.sh" "$@"
