# Shared by ./kickstart and ./run_tests: makes .venv and keeps it equal to the pinned
# requirements. Sourced with the repository's root as the current folder.

readonly VENV=.venv
# Written last, so that an interrupted set-up starts again from nothing.
readonly STAMP="$VENV/kickstart.stamp"
# What pip said.
readonly LOG="$VENV/install.log"

fail() {
  echo "${0##*/}: $1" >&2
  exit 2
}

source tools/find_python.sh

# Counts the packages as pip gets to them; what is no progress goes through untouched, but
# for errors, which are told at the end.
show_progress() {
  local line count=0 total="$1"
  while IFS= read -r line; do
    case "$line" in
      "Collecting "* | "Processing "*) echo "  [$((++count))/$total] ${line##*[ /]}" ;;
      "Installing collected"*) echo "  unpacking (about a minute)" ;;
      "ERROR: "* | "WARNING: Retrying"*) ;;
      *"is ignored: it is neither"* | "Looking in"* | Requirement*) ;;
      *Downloading* | *"Using cached"* | *"Preparing metadata"*) ;;
      *Uninstalling* | *uninstall* | *"Found existing"* | "Successfully"*) ;;
      *) echo "$line" ;;
    esac
  done
}

build_environment() {
  local accelerator="$1" requirements="$2" stamp="$3" python said previous=""
  [[ "$OSTYPE $HOSTTYPE" == "linux-gnu x86_64" ]] ||
    fail "runs on x86-64 Linux only, because dm-launchpad has no other wheels"
  if [[ -x "$VENV/bin/python" && -r "$STAMP" ]]; then
    read -r previous _ <"$STAMP"
  fi
  if [[ "$previous" != "$accelerator" ]]; then
    python="$(find_python)" || exit
    echo "Making $VENV for $accelerator with $("$python" --version)."
    said="$("$python" -m venv --clear "$VENV" 2>&1)" ||
      fail "$python cannot make $VENV: $(one_line "$said")"
  fi
  # Cut short, it goes on next time, and takes nothing from runs that use it.
  echo "$accelerator unfinished" >"$STAMP"
  echo "Installing $requirements (once, some minutes)."
  "$VENV/bin/python" -m pip install --require-hashes --disable-pip-version-check \
    --progress-bar off --no-input -r "$requirements" 2>&1 |
    tee "$LOG" | show_progress "$(grep -c '^[A-Za-z0-9].*==' "$requirements")" ||
    fail "pip cannot install $requirements: $(pip_error "$(<"$LOG")"); it wrote $LOG"
  "$VENV/bin/python" tools/libpython_folder.py >"$VENV/libpython_folder"
  echo "$stamp" >"$STAMP"
}

# Makes or updates .venv where needed and sets the variables that its Python needs.
# KICKSTART_ACCELERATOR (cpu, cuda12, tpu) chooses the requirements; without it .venv
# stays what it is.
ensure_environment() {
  local accelerator="${KICKSTART_ACCELERATOR:-}" requirements stamp folder
  if [[ -z "$accelerator" && -r "$STAMP" ]]; then
    read -r accelerator _ <"$STAMP"
  fi
  accelerator="${accelerator:-cpu}"
  case "$accelerator" in
    cpu) requirements=requirements.txt ;;
    cuda12 | tpu) requirements="requirements-$accelerator.txt" ;;
    *) fail "accelerator must be cpu, cuda12 or tpu, not '$accelerator'" ;;
  esac
  stamp="$accelerator $(sha256sum "$requirements")"
  if ! environment_is "$stamp"; then
    (
      flock -n 9 || { echo "Waiting for another set-up to end."; flock 9; }
      environment_is "$stamp" ||
        build_environment "$accelerator" "$requirements" "$stamp"
    ) 9>"$VENV.lock"
    environment_is "$stamp" || fail "the set-up of $VENV failed; run it again"
  fi
  read -r folder <"$VENV/libpython_folder" || folder=""
  if [[ -n "$folder" ]]; then
    export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
}

environment_is() {
  [[ -x "$VENV/bin/python" && -r "$STAMP" && "$(<"$STAMP")" == "$1" ]]
}
