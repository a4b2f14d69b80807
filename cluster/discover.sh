#!/usr/bin/env bash
# Writes a host file of the machines on the local network that answer to their own names (multicast DNS, RFC 6762).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cluster/common.sh
source "$here/common.sh"

usage() {
  cat <<'END'
usage: cluster/discover.sh [--user NAME] [--ranks N] [--prefix TEXT]

Prints a host file (docs/jobs.md, cluster:) of the machines that announce an ssh server on the local network by multicast
DNS, this one first if it is among them. cluster/pi/user-data makes a Raspberry Pi announce it from its first boot on.

  --user NAME    who logs in on them, else nobody in particular
  --ranks N      how many ranks at once on each, else 4
  --prefix TEXT  only machines whose names begin so, such as pi

Needs avahi-browse of Debian's avahi-utils. Exit status: 0 done, 1 nobody answered, 2 wrong usage, 3 there is no avahi-browse.
END
}

# host_names: from avahi-browse's parsable lines "=;INTERFACE;PROTOCOL;SERVICE;TYPE;DOMAIN;HOST;ADDRESS;PORT;TEXT", a machine
# once whatever number of interfaces and protocols it was found on; names that are no host names are left out.
host_names() { awk -F ';' '$1 == "=" && $7 ~ /^[A-Za-z0-9][A-Za-z0-9.-]*\.local$/ { print $7 }' | LC_ALL=C sort -u; }

main() {
  local user='' ranks=4 prefix='' found name own hosts=()
  while (($# > 0)); do
    case $1 in
      --user) user=${2:?'--user needs a name'} && shift ;;
      --ranks) ranks=${2:?'--ranks needs a number'} && shift ;;
      --prefix) prefix=${2:?'--prefix needs a text'} && shift ;;
      --help | -h) usage && return ;;
      *) usage >&2 && fail 2 "unknown argument '$1'" ;;
    esac
    shift
  done
  [[ $ranks =~ ^[1-9][0-9]*$ ]] || fail 2 "--ranks takes a whole number from 1 on, not '$ranks'."
  [[ -z $user || $user =~ ^[a-z_][a-z0-9_-]*$ ]] || fail 2 "'$user' is no user's name."
  command -v avahi-browse >/dev/null || fail 3 'there is no avahi-browse.' 'Install it: sudo apt-get install avahi-utils'
  found=$(avahi-browse --resolve --parsable --terminate --no-db-lookup _ssh._tcp) ||
    fail 1 'avahi-browse found nothing out.' 'Is avahi-daemon running? systemctl status avahi-daemon'
  own=$(hostname).local
  while read -r name; do
    [[ $name == "$prefix"* ]] || continue
    if [[ $name == "$own" ]]; then hosts=("$name" "${hosts[@]}"); else hosts+=("$name"); fi
  done < <(host_names <<<"$found")
  ((${#hosts[@]} > 0)) || fail 1 "nobody${prefix:+ whose name begins with $prefix} announces an ssh server here." \
    'A machine does so with avahi-daemon and a file such as cluster/pi/user-data puts into /etc/avahi/services.'
  printf '# What announced an ssh server on the network of %s.\ncluster:\n  hosts:\n' "$(hostname)"
  printf "    - {name: %s, ranks: $ranks${user:+, user: $user}}\n" "${hosts[@]}"
}

main "$@"
