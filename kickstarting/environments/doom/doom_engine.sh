#!/bin/sh
# Starts ViZDoom's engine so that it dies with the process that started it, even by
# SIGKILL: it ignores SIGTERM, and would live on as an orphan. It insists on making a
# folder in its working directory, which should not be the user's.
folder="${TMPDIR:-/tmp}/kickstarting-$(id -u)"
mkdir -p "$folder" 2>/dev/null && cd "$folder"
if command -v setpriv >/dev/null; then
  exec setpriv --pdeathsig KILL "$VIZDOOM_ENGINE" "$@"
fi
exec "$VIZDOOM_ENGINE" "$@"
