#!/usr/bin/env bash
# Runs the fuzzers of this folder; README.md says what they are and what they found.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=cluster/common.sh
source cluster/common.sh

usage() {
  cat <<'END'
usage: tests/fuzz/run.sh fuzz TARGET [RUNS] [LIBFUZZER_ARGUMENT…]   RUNS inputs (1,000,000), the seeds first
       tests/fuzz/run.sh keep TARGET       the smallest set of inputs found that covers as much, as new seeds
       tests/fuzz/run.sh coverage          lines covered by all inputs, parser by parser

TARGET is the name of a .cpp file of this folder. What is found grows in build-fuzz/corpus/TARGET; an input that crashes,
hangs or wants too much memory is left in build-fuzz/found/TARGET. Needs clang and libclang-rt-dev.
END
}

# The longest input worth trying, bytes: a bound on how long one takes.
longest() {
  case $1 in
    cifar) printf 16384 ;;
    results_file) printf 65536 ;;
    *) printf 4096 ;;
  esac
}

build() {
  local folder=$1
  shift
  [[ -f $folder/build.ninja ]] || cmake --preset fuzz -B "$folder" "$@" >/dev/null
  cmake --build "$folder" --parallel "$(compile_jobs 1000)" >/dev/null
}

fuzz() {
  local target=$1 runs=${2:-1000000} arguments=()
  shift $(($# < 2 ? $# : 2))
  build build-fuzz
  mkdir -p "build-fuzz/corpus/$target" "build-fuzz/found/$target"
  [[ ! -f $here/$target.dict ]] || arguments+=("-dict=$here/$target.dict")
  # What libhdf5 keeps for itself looks like a leak after every input; its crashes are not ours to stop at (README.md).
  [[ $target != results_file ]] || arguments+=(-detect_leaks=0 -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1)
  UBSAN_OPTIONS=print_stacktrace=1 "build-fuzz/fuzz_$target" "-runs=$runs" "-max_len=$(longest "$target")" -timeout=10 \
    -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1 "-artifact_prefix=build-fuzz/found/$target/" \
    "${arguments[@]}" "$@" "build-fuzz/corpus/$target" "$here/seeds/$target"
  [[ $target != results_file ]] || triage "$target"
}

# Inputs that were left in build-fuzz/found/TARGET and fail in code of ours: without libhdf5 in the report. Fails if there are any.
# -timeout reports where one hangs.
triage() {
  local target=$1 input report theirs=0 ours=0
  for input in "build-fuzz/found/$target"/*; do
    [[ -f $input ]] || continue
    ! report=$("build-fuzz/fuzz_$target" -detect_leaks=0 -timeout=60 -rss_limit_mb=1024 -malloc_limit_mb=256 "$input" 2>&1) || continue
    if grep -q libhdf5 <<<"$report"; then
      theirs=$((theirs + 1))
    else
      ours=$((ours + 1))
      say "$input: $(grep -m 1 -E 'ERROR|runtime error|Trap' <<<"$report" || tail -n 1 <<<"$report")"
    fi
  done
  say "$theirs inputs fail in libhdf5, $ours elsewhere."
  ((ours == 0))
}

keep() {
  local target=$1 fresh
  fresh=$(mktemp -d)
  build build-fuzz
  "build-fuzz/fuzz_$target" -merge=1 "-max_len=$(longest "$target")" -detect_leaks=0 "$fresh" "$here/seeds/$target" \
    "build-fuzz/corpus/$target"
  rm -f "$here/seeds/$target"/*
  cp "$fresh"/* "$here/seeds/$target/"
  rm -r "$fresh"
  du -sb "$here/seeds/$target"
}

coverage() {
  local folder=build-fuzz-coverage target targets=() programs=() tools=
  tools=$(dirname "$(readlink -f "$(command -v clang)")")
  build "$folder" -DEDGELAB_SANITIZE=fuzzer-no-link '-DCMAKE_CXX_FLAGS=-fprofile-instr-generate -fcoverage-mapping'
  for program in "$folder"/fuzz_*; do
    target=${program##*/fuzz_}
    targets+=("$folder/$target.profraw")
    programs+=(-object "$program")
    mkdir -p "build-fuzz/corpus/$target"
    # In a process of its own each: one crash of libhdf5's must not lose the others' counts.
    LLVM_PROFILE_FILE="$folder/$target.profraw" "$program" -runs=0 -detect_leaks=0 "$here/seeds/$target" \
      "build-fuzz/corpus/$target" >"$folder/$target.log" 2>&1 || say "$target stopped: $(tail -n 1 "$folder/$target.log")"
  done
  "$tools/llvm-profdata" merge -o "$folder/all.profdata" "${targets[@]}"
  # The first program is named without an -object of its own.
  "$tools/llvm-cov" report "${programs[@]:1}" "-instr-profile=$folder/all.profdata" src/batch/job_file src/batch/session.cpp \
    src/models/safetensors src/data src/results/journal* src/results/json src/results/hdf5
}

main() {
  local command=${1:-help}
  (($# == 0)) || shift
  case $command in
    fuzz | keep)
      [[ $# -gt 0 && -f $here/$1.cpp ]] || fail 2 "there is no target '${1:-}'." "There are: $(cd "$here/seeds" && echo *)"
      "$command" "$@"
      ;;
    coverage) coverage ;;
    help | --help | -h) usage ;;
    *) usage >&2 && fail 2 "unknown command '$command'" ;;
  esac
}

main "$@"
