# Shared by ./kickstart and ./run_tests: makes .venv and keeps it equal to the pinned
# requirements. Sourced with the repository's root as the current folder.

# Names the venv that is made from here on.
use_venv() {
  VENV="$1"
  # Written last, so that an interrupted set-up starts again from nothing.
  STAMP="$VENV/kickstart.stamp"
  # What pip said.
  LOG="$VENV/install.log"
}

use_venv .venv

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
      "Collecting "* | "Processing "*)
        # Newer versions of pip add where it is asked for.
        line="${line%% (*}"
        echo "  [$((++count))/$total] ${line##*[ /]}"
        ;;
      "Installing collected"*) echo "  unpacking (about a minute)" ;;
      "ERROR: "* | "WARNING: Retrying"*) ;;
      *"is ignored: it is neither"* | "Looking in"* | Requirement*) ;;
      "Ignoring "*": markers "*) ;;
      *Downloading* | *"Using cached"* | *"Preparing metadata"*) ;;
      *Uninstalling* | *uninstall* | *"Found existing"* | "Successfully"*) ;;
      *) echo "$line" ;;
    esac
  done
}

build_environment() {
  local accelerator="$1" requirements="$2" stamp="$3" python previous=""
  [[ "$OSTYPE $HOSTTYPE" == "linux-gnu x86_64" ]] ||
    fail "runs on x86-64 Linux only, because dm-launchpad has no other wheels"
  if [[ -x "$VENV/bin/python" && -r "$STAMP" ]]; then
    read -r previous _ <"$STAMP"
  fi
  if [[ "$previous" != "$accelerator" ]]; then
    python="$(find_python)" || exit
    make_venv "$python" " for $accelerator"
  fi
  # Cut short, it goes on next time, and takes nothing from runs that use it.
  echo "$accelerator unfinished" >"$STAMP"
  install "$requirements"
  "$VENV/bin/python" tools/libpython_folder.py >"$VENV/libpython_folder"
  echo "$stamp" >"$STAMP"
}

# make_venv PYTHON PURPOSE
make_venv() {
  local said
  echo "Making $VENV$2 with $("$1" --version)."
  said="$("$1" -m venv --clear "$VENV" 2>&1)" ||
    fail "$1 cannot make $VENV: $(one_line "$said")"
}

# install REQUIREMENTS
install() {
  echo "Installing $1 (once, some minutes)."
  "$VENV/bin/python" -m pip install --require-hashes --disable-pip-version-check \
    --progress-bar off --no-input -r "$1" 2>&1 |
    tee "$LOG" | show_progress "$(grep -c '^[A-Za-z0-9].*==' "$1")" ||
    fail "pip cannot install $1: $(pip_error "$(<"$LOG")"); it wrote $LOG"
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
  ensure_stamp "$stamp" build_environment "$accelerator" "$requirements"
  read -r folder <"$VENV/libpython_folder" || folder=""
  if [[ -n "$folder" ]]; then
    export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
}

# Has a command make the venv, unless it has this stamp already; two at once wait.
ensure_stamp() {
  local stamp="$1"
  environment_is "$stamp" && return
  (
    flock -n 9 || { echo "Waiting for another set-up to end."; flock 9; }
    environment_is "$stamp" || "${@:2}" "$stamp"
  ) 9>"$VENV.lock"
  environment_is "$stamp" || fail "the set-up of $VENV failed; run it again"
}

environment_is() {
  [[ -x "$VENV/bin/python" && -r "$STAMP" && "$(<"$STAMP")" == "$1" ]]
}
