# Sourced by setup.sh: the packages of PyPI that only tests need, in a virtual environment in the cache.
# Expects common.sh, and `edgelab_cache` of onednn.sh.
# shellcheck shell=bash

# Its folder. The key changes with what is wanted, with Python and with the architecture. Virtual environments can't be moved.
python_folder() {
  local key
  key=$({ cat "$here/python-ci.txt" && /usr/bin/python3 --version && uname -m; } 2>/dev/null | sha256sum | cut -c 1-8)
  printf '%s/python-%s' "$(edgelab_cache)" "$key"
}

# The file that is written last: without it, an installation was interrupted.
python_ready() { [[ -f $(python_folder)/complete ]]; }

# Only what needs no compiler, and not compiled to bytecode, which would take longer than all the tests. pip's own tries would
# take minutes where nothing answers.
python_install() {
  rm -rf "$1"
  /usr/bin/python3 -m venv "$1" &&
    "$1/bin/python" -m pip install --disable-pip-version-check --no-input --no-compile --only-binary :all: --timeout 20 --retries 1 \
      --requirement "$here/python-ci.txt"
}

# Not having them is no error: the tests skip and say so.
python_provide() {
  local folder log began=$SECONDS
  folder=$(python_folder)
  ! python_ready || return 0
  heading 'Python packages for tests'
  mkdir -p "$(edgelab_cache)" || fail 3 "cannot write to $(edgelab_cache)." 'Set EDGELAB_CACHE to a folder that you may write to.'
  exec 8>"$folder.lock"
  flock 8 # another set-up may be at it
  ! python_ready || return 0
  log=$folder.log
  if run_logged 'pip' "$log" last_line python_install "$folder"; then
    touch "$folder/complete"
    rm -f "$log"
    say "  They are in $folder ($(duration $((SECONDS - began))))."
  else
    rm -rf "$folder"
    say '  pip could not get them: the tests of h5web and Parquet will skip.'
  fi
}
