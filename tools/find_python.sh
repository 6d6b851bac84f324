# Finds a Python 3.10 that dm-launchpad can load in. Current distributions have none: then
# uv fetches it, and where there is no uv either, any other Python installs that first.
# Sourced by tools/setup.sh, which has `fail`.

# A venv of any Python, that holds uv alone.
readonly UV_VENV=.uv
readonly UV_REQUIREMENTS=requirements-uv.txt
readonly NO_PYTHON="there is no Python 3.10 that dm-launchpad can load in (docs/setup.md)"

# Prints a Python 3.10 by its own path, or fails. What is python3 now may be another one
# after an upgrade of the system, and so would be a venv that was made of it.
find_python() {
  local candidate
  while IFS= read -r candidate; do
    if is_usable "$candidate"; then
      "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
      return
    fi
  done < <(named_pythons 3.10)
  fetch_python
}

# Prints, a line each, what may be a Python of such a version: on PATH, and of pyenv. A
# shim of pyenv on PATH may know no such version and fail, so each is to be tried.
named_pythons() {
  local version="$1" root="${PYENV_ROOT:-}"
  root="${root:-$(pyenv root 2>/dev/null || echo ~/.pyenv)}"
  printf '%s\n' "python$version" python3 \
    "$root/versions/${PYENV_VERSION:-}/bin/python$version" \
    "$root/versions/$version"*/bin/python3
}

is_usable() {
  "$1" tools/libpython_folder.py >/dev/null 2>&1
}

# Has uv fetch a Python 3.10 and prints its path.
fetch_python() {
  local uv said python
  uv="$(find_uv)" || exit
  if ! python="$(managed_python "$uv")"; then
    echo "Fetching Python 3.10 (once)." >&2
    said="$("$uv" python install 3.10 2>&1)" ||
      fail "$NO_PYTHON, and uv cannot fetch one: $(one_line "${said##*$'\n'}")\
 (is GitHub in reach?)"
    python="$(managed_python "$uv")" ||
      fail "$NO_PYTHON, and none after '$uv python install 3.10'"
  fi
  is_usable "$python" || fail "$NO_PYTHON: $python, of uv, has no libpython or venv"
  echo "$python"
}

managed_python() {
  "$1" python find --managed-python 3.10 2>/dev/null
}

# Prints uv: that on PATH, else one in a venv of its own.
find_uv() {
  local python said
  if is_uv uv; then
    echo uv
    return
  fi
  if ! is_uv "$UV_VENV/bin/uv"; then
    python="$(find_any_python)" || exit
    echo "Installing uv, to fetch Python 3.10 (once)." >&2
    # Cleared, since an earlier call may have been cut short.
    said="$("$python" -m venv --clear "$UV_VENV" 2>&1)" ||
      fail "$NO_PYTHON, and $python cannot make a venv: $(one_line "$said")"
    said="$("$UV_VENV/bin/python" -m pip install --require-hashes --only-binary :all: \
      --disable-pip-version-check --no-input -r "$UV_REQUIREMENTS" 2>&1)" ||
      fail "$NO_PYTHON, and pip cannot install uv: $(pip_error "$said")"
    is_uv "$UV_VENV/bin/uv" || fail "$NO_PYTHON, and $UV_VENV/bin/uv does not run"
  fi
  echo "$UV_VENV/bin/uv"
}

# One on PATH may be a shim that fails, or too old to tell its own Pythons from others.
is_uv() {
  "$1" python find --managed-python --help >/dev/null 2>&1
}

# Prints any Python that can make a venv and that uv's wheel is for, or fails.
find_any_python() {
  local candidate lacks_venv=""
  while IFS= read -r candidate; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null ||
      continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      echo "$candidate"
      return
    fi
    lacks_venv="$candidate"
  done < <(compgen -c python3 | grep -x 'python3\(\.[0-9]*\)\?'; named_pythons 3)
  [[ -z "$lacks_venv" ]] ||
    fail "$NO_PYTHON, and $lacks_venv, which could fetch one, has no venv module:\
 apt-get install python3-venv"
  fail "$NO_PYTHON, and neither uv nor a python3 from 3.8 on that could fetch one:\
 apt-get install python3-venv"
}

# Joins what a program said to one line.
one_line() {
  tr -s ' \n' ' ' <<<"$1" | sed 's/^ //; s/ $//'
}

# Prints the last error among what pip said, which does not tell of a network that is away.
pip_error() {
  echo "$(grep '^ERROR: ' <<<"$1" | tail -n 1) (is a package index in reach?)"
}
