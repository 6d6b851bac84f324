# Makes .venv-library-VERSION, in which the library's tests run on a current Python. Sourced
# by ./run_tests after tools/setup.sh.

# What requirements-library.txt was compiled for.
readonly LIBRARY_VERSIONS="3.12 3.13"
readonly LIBRARY_REQUIREMENTS=requirements-library.txt

# ensure_library_environment VERSION
ensure_library_environment() {
  local version="$1"
  [[ " $LIBRARY_VERSIONS " == *" $version "* && "$version" != *" "* ]] ||
    fail "--library must be one of $LIBRARY_VERSIONS, not '$version'"
  use_venv ".venv-library-$version"
  ensure_stamp "library $(sha256sum "$LIBRARY_REQUIREMENTS")" \
    build_library_environment "$version"
  export PYTHONPATH="$PWD"
}

# build_library_environment VERSION STAMP
build_library_environment() {
  local version="$1" stamp="$2" python
  # What is left of a set-up that was cut short is good to go on with.
  if ! is_version "$version" "$VENV/bin/python"; then
    python="$(find_version "$version")"
    [[ -n "$python" ]] || fail "there is no Python $version with its venv module on PATH,\
 of pyenv or of uv: pyenv install $version, or pip install uv"
    make_venv "$python" ""
  fi
  echo unfinished >"$STAMP"
  install "$LIBRARY_REQUIREMENTS"
  echo "$stamp" >"$STAMP"
}

# Prints a Python of this version, or nothing.
find_version() {
  local candidate version="$1"
  while IFS= read -r candidate; do
    if is_version "$version" "$candidate"; then
      "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
      return
    fi
  done < <(named_pythons "$version")
  if is_uv uv; then
    uv python find --managed-python "$version" 2>/dev/null ||
      { uv python install "$version" >&2 && uv python find --managed-python "$version"; } ||
      return 0
  fi
}

# is_version VERSION PYTHON
is_version() {
  "$2" -c 'import ensurepip, sys, venv
sys.exit(sys.argv[1] != "%d.%d" % sys.version_info[:2])' "$1" 2>/dev/null
}
