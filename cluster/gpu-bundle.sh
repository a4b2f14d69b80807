#!/usr/bin/env bash
# Packs edgelab with every library that it needs into one file, for a GPU host that has a driver, CUDA, and nothing of ours.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=cluster/common.sh
source "$here/common.sh"

usage() {
  cat <<'END'
usage: cluster/gpu-bundle.sh [OUTPUT] [--program PATH]

Makes OUTPUT, else results/edgelab-gpu.tar.gz, of less than 60 MB: the program, its shared libraries, Open MPI's plug-ins, the C
library and its loader, configs/ and jobs/. On the GPU host, of any distribution for the same kind of processor:

  tar -xzf edgelab-gpu.tar.gz
  edgelab-gpu/edgelab run edgelab-gpu/jobs/lab0_mobilenet_gpu.yaml --out lab0.h5

which is one rank, without mpirun (an MPI singleton). The driver's own library is the host's: it belongs to its kernel.

  --program PATH  the program to pack, else build/edgelab

Exit status: 0 done, 1 failed or too large, 2 wrong usage, 3 nothing to pack.
END
}

readonly most_bytes=60000000
program="$here/../build/edgelab"
output="$here/../results/edgelab-gpu.tar.gz"

# loaded FILE...: the libraries that the loader takes for these, by the names under which it looks for them.
loaded() { ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u; }

# copy_stripped FROM TO: without what only debuggers read.
copy_stripped() {
  cp -L "$1" "$2"
  strip --strip-unneeded "$2" 2>/dev/null || true
}

# Open MPI looks for its plug-ins below the prefix that OPAL_PREFIX names, as the folders lay below its own.
stage_mpi() {
  local prefix plugins data folder
  prefix=$(ompi_info --parsable --path prefix | cut -d : -f 3)
  plugins=$(ompi_info --parsable --path pkglibdir | cut -d : -f 3)
  data=$(ompi_info --parsable --path pkgdatadir | cut -d : -f 3)
  for folder in "$plugins" "$data"; do
    [[ $folder == "$prefix"/* && -d $folder ]] || fail 3 "Open MPI's files are not below its prefix $prefix: $folder"
    mkdir -p "$1/mpi/${folder#"$prefix"/}"
    cp -RL "$folder/." "$1/mpi/${folder#"$prefix"/}"
  done
  folder=$(dirname "$(realpath "$(ldconfig -p | awk '/libpmix.so.2 / { print $NF; exit }')")")/pmix
  [[ -d $folder ]] || fail 3 "PMIx, with which Open MPI starts, has no plug-ins in $folder."
  cp -RL "$folder" "$1/mpi/pmix"
  find "$1/mpi" -name '*.so*' -exec strip --strip-unneeded {} + 2>/dev/null || true
}

stage() {
  local name path
  mkdir -p "$1/bin" "$1/lib"
  copy_stripped "$program" "$1/bin/edgelab"
  stage_mpi "$1"
  # shellcheck disable=SC2046  # names of libraries hold no blanks
  while read -r name path; do copy_stripped "$path" "$1/lib/$name"; done < <(loaded "$program" $(find "$1/mpi" -name '*.so*'))
  path=$(ldd "$program" | awk '$1 ~ /ld-linux/ { print $1 }')
  cp -L "$path" "$1/lib/loader"
  # Names of users and hosts are asked of plug-ins of the C library, which no program lists.
  for path in /lib/*-linux-gnu/libnss_{files,dns}.so.2; do [[ ! -e $path ]] || cp -L "$path" "$1/lib"; done
  cp -RL "$here/../configs" "$here/../jobs" "$1"
  cp "$here/gpu-bundle-start.sh" "$1/edgelab"
  chmod +x "$1/edgelab"
}

main() {
  local work size positional=()
  while (($# > 0)); do
    case $1 in
      --program) program=${2:?} && shift 2 ;;
      --help | -h) usage && exit 0 ;;
      -*) usage >&2 && fail 2 "unknown option '$1'" ;;
      *) positional+=("$1") && shift ;;
    esac
  done
  ((${#positional[@]} <= 1)) || { usage >&2 && fail 2 'one output at most'; }
  output=${positional[0]:-$output}
  [[ -x $program ]] || fail 3 "there is no program $program." 'Build it: ./lab build release edgelab'
  command -v ompi_info >/dev/null || fail 3 'there is no ompi_info, which says where Open MPI has its plug-ins.' 'Install it: ./lab setup'
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$work'" EXIT
  stage "$work/edgelab-gpu"
  mkdir -p "$(dirname "$output")"
  tar -C "$work" -c edgelab-gpu | gzip >"$output.part"
  size=$(stat -c %s "$output.part")
  ((size < most_bytes)) || { rm "$output.part" && fail 1 "the bundle has $size bytes, more than $most_bytes."; }
  mv "$output.part" "$output"
  say "$output: $(awk -v size="$size" 'BEGIN { printf "%.1f", size / 1e6 }') MB"
}

main "$@"
