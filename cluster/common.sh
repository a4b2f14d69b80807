# Sourced by our shell scripts: plain messages, errors, long commands that report their progress, compilers at once.
# shellcheck shell=bash

if [[ -t 1 ]]; then
  bold=$'\033[1m' red=$'\033[31m' plain=$'\033[0m' clear_line=$'\r\033[K'
else
  bold='' red='' plain='' clear_line=''
fi

# say WORDS...: one line on standard output.
say() { printf '%s\n' "$*"; }

# heading WORDS...: a line that starts a part of the work.
heading() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }

# fail STATUS LINES...: the error on standard error, then exit.
fail() {
  local status=$1
  shift
  printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit "$status"
}

# duration SECONDS: "42 s" or "3 min 05 s".
duration() {
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# last_line LOG: the last line of a log that isn't blank, cut to fit a terminal line.
last_line() { tail -n 5 "$1" | tr '\r' '\n' | awk 'NF { line = $0 } END { print substr(line, 1, 70) }'; }

running_child=''
stop_child() {
  [[ -z $running_child ]] || kill -TERM "$running_child" 2>/dev/null || true
  [[ -z $running_child ]] || wait "$running_child" 2>/dev/null || true
  exit "$1"
}

# run_logged LABEL LOG PROGRESS COMMAND...: runs COMMAND with its output in LOG. Every 15 s (every second on a
# terminal) one line says how long it has run and what `PROGRESS LOG` prints. Returns COMMAND's status, having
# shown the end of the log where it failed. SIGINT and SIGTERM end COMMAND first, then the script.
run_logged() {
  local label=$1 log=$2 progress=$3 status=0 began=$SECONDS every=15 next
  shift 3
  [[ ! -t 1 ]] || every=1
  next=$((SECONDS + every))
  trap 'stop_child 130' INT
  trap 'stop_child 143' TERM
  "$@" >>"$log" 2>&1 </dev/null &
  running_child=$!
  while kill -0 "$running_child" 2>/dev/null; do
    if ((SECONDS >= next)); then
      printf '%s  %s: %s, %s' "$clear_line" "$label" "$(duration $((SECONDS - began)))" "$("$progress" "$log")"
      [[ -t 1 ]] || printf '\n'
      next=$((SECONDS + every))
    fi
    sleep 0.1
  done
  wait "$running_child" || status=$?
  running_child=''
  trap - INT TERM
  printf '%s' "$clear_line"
  if ((status != 0)); then
    printf '%s  %s: failed with status %d; the end of %s:%s\n' "$red" "$label" "$status" "$log" "$plain" >&2
    tail -n 30 "$log" | sed 's/^/    /' >&2
  fi
  return "$status"
}

# compile_jobs MEGABYTES: compilers at once, where one takes MEGABYTES: one per core, but no more than memory holds.
compile_jobs() {
  local cores by_memory
  cores=$(nproc)
  by_memory=$(awk -v each="$1" '$1 == "MemAvailable:" { print int($2 / 1000 / each) }' /proc/meminfo 2>/dev/null)
  by_memory=${by_memory:-$cores}
  ((by_memory > 0)) || by_memory=1
  printf '%d' $((cores < by_memory ? cores : by_memory))
}

# The Python with packages that Debian lacks, for the tests that need them; nothing where `cluster/setup.sh --ci` made none.
export_test_python() {
  local python
  [[ -z ${EDGELAB_PYTHON:-} ]] || return 0
  ! python=$(cluster/setup.sh --python) || export EDGELAB_PYTHON=$python
}

# Containers and CI run as root, and Open MPI wants to be told twice that this is meant.
allow_mpirun_as_root() {
  ((EUID == 0)) || return 0
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
}
