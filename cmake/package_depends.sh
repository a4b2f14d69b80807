#!/usr/bin/env bash
# usage: package_depends.sh PROGRAM [ROOT]
# "libc6, libhdf5-103-1, …": the Debian packages that bring the libraries PROGRAM names, as they are installed here, or in ROOT as
# cluster/aarch64.sh unpacked it. The package's name holds the library's version, so no other is needed. dpkg-shlibdeps would
# want a package's source tree, and knows nothing of a ROOT.
set -euo pipefail

program=$1
root=${2:-}

package_of() {
  local name=$1 path
  if [[ -n $root ]]; then
    awk -v name="$name" '{ n = split($2, part, "/"); if (part[n] == name) { print $1; exit } }' "$root/packages.txt"
    return
  fi
  path=$(ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }')
  [[ -n $path ]] || return 0
  path=$(realpath "$path")
  # Since /lib is a link to /usr/lib, dpkg knows a file by either name.
  { dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}" 2>/dev/null || true; } | sed 's/:.*//'
}

{
  printf '%s\n' openmpi-bin openssh-client
  while read -r name; do
    package=$(package_of "$name")
    if [[ -n $package ]]; then
      printf '%s\n' "$package"
    elif [[ $name != libdnnl.so* ]]; then
      printf 'error: no package here brings %s, which %s names\n' "$name" "$program" >&2
      exit 1
    fi
  done < <(readelf --dynamic --wide "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
} | sort -u | paste -s -d , | sed 's/,/, /g'
