#!/usr/bin/env bash
# Makes a bare Debian 12 or 13, or Raspberry Pi OS of either, ready to build and run edgelab.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=cluster/common.sh
source "$here/common.sh"
# shellcheck source=cluster/onednn.sh
source "$here/onednn.sh"
# shellcheck source=cluster/aarch64.sh
source "$here/aarch64.sh"
# shellcheck source=cluster/python_packages.sh
source "$here/python_packages.sh"

usage() {
  cat <<'END'
usage: cluster/setup.sh [--packages-only | --check | --prefix | --python | --help] [--ci] [--aarch64] [--quiet]

Installs the Debian packages of cluster/packages.txt, and oneDNN 3.7: from apt where that has it, else built
once from Debian 13's source package into the cache. Does nothing where everything is there.

  --packages-only  leave oneDNN alone
  --check          install nothing; exit 0 where everything is there, 1 where something is missing
  --prefix         print where oneDNN was built, or nothing where it is the system's; exit 1 where there is none. With
                   --aarch64: the root of arm64's packages, and its oneDNN
  --python         print the Python that --ci gave cluster/python-ci.txt; exit 1 where there is none
  --ci             cluster/packages-ci.txt too: what only tests need. Daemons among it are not started. And, where PyPI can
                   be reached, cluster/python-ci.txt, in a virtual environment in the cache
  --aarch64        for ./lab build aarch64 on a PC: cluster/packages-aarch64.txt (a cross compiler, qemu-user), and into
                   the cache a root of Debian's packages for arm64, and oneDNN built for it
  --quiet          say nothing where nothing is to be done

  EDGELAB_CACHE           the cache, else ~/.cache/edgelab
  EDGELAB_DEBIAN_MIRROR   an archive of Debian to fetch oneDNN's source from, before this machine's own

Exit status: 0 done, 1 failed, 2 wrong usage, 3 not possible on this machine or for this user.
END
}

lists=("$here/packages.txt")
aarch64='' ci=''
listed_packages() { grep -hEv '^[[:space:]]*(#|$)' "${lists[@]}"; }

missing_packages() {
  local wanted
  mapfile -t wanted < <(listed_packages)
  # A name that dpkg has never heard of is absent from its answer, so: all names, less the installed ones.
  { dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true; } |
    awk -v wanted="${wanted[*]}" '$2 == "installed" { have[$1] }
      END { n = split(wanted, names, " "); for (i = 1; i <= n; ++i) if (!(names[i] in have)) print names[i] }'
}

check_system() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail 3 'this is not Debian: there is no apt-get.' 'edgelab is set up on Debian 12 or 13 and Raspberry Pi OS.' \
      "What it needs is listed in $here/packages.txt, and oneDNN $kOnednnLeast or newer."
  fi
  local ID='' VERSION_ID='' PRETTY_NAME=''
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || source /etc/os-release
  if [[ $ID == debian || $ID == raspbian ]] && [[ -n $VERSION_ID ]] && ((${VERSION_ID%%.*} < 12)); then
    fail 3 "$PRETTY_NAME is too old." 'edgelab needs Debian 12 or newer, for GCC 12 and Open MPI 4.1.'
  fi
  [[ $ID == debian || $ID == raspbian ]] ||
    say "This is ${PRETTY_NAME:-an unknown system}, not Debian 12 or 13: going on, untested."
}

# may_install: this user can install packages. Asks for sudo's password only on a terminal.
may_install() {
  ((EUID != 0)) || return 0
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }
}

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

# apt is given ten minutes for another apt's lock, and three tries at each file.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a LC_ALL=C.UTF-8 apt-get -q -y \
    -oDPkg::Lock::Timeout=600 -oAcquire::Retries=3 -oDpkg::Use-Pty=0 -oDpkg::Options::=--force-confold "$@"
}

# Tests start their daemons themselves. Debian's packages ask this file whether theirs may start; where the administrator
# has one it stands as it is.
readonly kServicePolicy=/usr/sbin/policy-rc.d
forbid_services() {
  [[ ! -e $kServicePolicy ]] || return 0
  trap 'as_root rm -f "$kServicePolicy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$kServicePolicy" >/dev/null
  as_root chmod 755 "$kServicePolicy"
}

# A third party's source that fails must not stop us: if one of ours is the cause, the installation says so.
apt_lists_are_fresh=''
apt_update() {
  local log
  [[ -z $apt_lists_are_fresh ]] || return 0
  apt_lists_are_fresh=yes
  log=$(mktemp)
  run_logged 'apt-get update' "$log" last_line apt_get update || say '  Going on with the package lists that there are.'
  rm -f "$log"
}

# apt_install PACKAGES...
apt_install() {
  local log began=$SECONDS
  may_install || fail 3 'packages are missing, and you are neither root nor allowed to use sudo here.' \
    'Ask the administrator for:' "apt-get install --no-install-recommends $*"
  ((${#lists[@]} == 1)) || forbid_services
  log=$(mktemp)
  say "  Installing with apt: $*"
  [[ -z $(dpkg --audit 2>/dev/null) ]] || run_logged 'finishing an interrupted installation' "$log" last_line \
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a || fail 1 'dpkg could not finish what it had begun.'
  apt_update
  run_logged 'apt-get install' "$log" last_line apt_get install --no-install-recommends "$@" || fail 1 \
    'apt-get could not install the packages.' "Whole log: $log"
  rm -f "$log"
  say "  Installed ($(duration $((SECONDS - began))))."
}

provide_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} > 0)) || return 0
  heading 'Debian packages'
  check_system
  apt_install "${missing[@]}"
}

# What no installed package brings: this machine's oneDNN, or all that a cross build links with.
built_ready() { if [[ -n $aarch64 ]]; then aarch64_ready; else onednn_ready; fi; }
built_provide() { if [[ -n $aarch64 ]]; then aarch64_provide; else onednn_provide; fi; }

print_prefix() {
  if [[ -n $aarch64 ]]; then
    aarch64_ready || return 1
    onednn_target=aarch64
    say "$(aarch64_root)"
    say "$(onednn_prefix)"
    return
  fi
  ! onednn_installed_by_apt || return 0
  onednn_cached || return 1
  say "$(onednn_prefix)"
}

main() {
  local action=everything quiet='' missing
  while (($# > 0)); do
    case $1 in
      --packages-only | --check | --prefix | --python) action=${1#--} ;;
      --ci) lists+=("$here/packages-ci.txt") ci=yes ;;
      --aarch64) lists+=("$here/packages-aarch64.txt") aarch64=yes ;;
      --quiet) quiet=yes ;;
      --help | -h) usage && return ;;
      *) usage >&2 && fail 2 "unknown argument '$1'" ;;
    esac
    shift
  done
  case $action in
    prefix) print_prefix && return || return 1 ;;
    python) python_ready && say "$(python_folder)/bin/python" && return || return 1 ;;
    check) missing=$(missing_packages) && [[ -z $missing ]] && built_ready && return || return 1 ;;
  esac
  command -v dpkg-query >/dev/null || check_system
  if [[ -z $(missing_packages) ]] && { [[ $action == packages-only ]] || { built_ready && { [[ -z $ci ]] || python_ready; }; }; }; then
    [[ -n $quiet ]] || say 'Nothing to install: everything is there.'
    return
  fi
  provide_packages
  [[ $action != packages-only ]] || return 0
  built_provide
  [[ -z $ci ]] || python_provide
}

main "$@"
