#!/usr/bin/env bash
# Installs the Debian package in a root of its own, runs the demo there as a plain user, removes it, and looks for what stayed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=cluster/common.sh
source "$here/cluster/common.sh"

usage() {
  cat <<'END'
usage: tests/package/install_in_root.sh PACKAGE.deb ROOT [ARGUMENT…]

ROOT is a folder with a Debian of the package's architecture, or one that is made here by debootstrap (300 MB). The arguments go to
`edgelab run jobs/demo.yaml`, to shorten it. Needs root, debootstrap, Debian's archive, and for a package of another architecture
a kernel that hands its programs to qemu-user (Debian: qemu-user-binfmt).

  EDGELAB_SUITE           the Debian to make, else bookworm; the package has to have been built on the same
  EDGELAB_DEBIAN_MIRROR   an archive of Debian, else http://deb.debian.org/debian
END
}

in_root() {
  env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 ${QEMU_CPU:+"QEMU_CPU=$QEMU_CPU"} chroot "$root" "$@"
}
as_user() { in_root runuser -u lab -- env -C /home/lab HOME=/home/lab "$@"; }
apt_in_root() { in_root apt-get -q -y -oAPT::Sandbox::User=root -oDpkg::Use-Pty=0 "$@"; }

# What is in the root but for what changes with every installation and what the user made.
files_in_root() {
  find "$root" -xdev \( -path "$root/proc" -o -path "$root/dev" -o -path "$root/sys" -o -path "$root/tmp" -o -path "$root/run" -o -path "$root/var/lib/apt" -o \
    -path "$root/var/lib/dpkg" -o -path "$root/var/cache" -o -path "$root/var/log" -o -path "$root/home" \) -prune -o -print | sort
}

main() {
  local package=$1 architecture before after left
  root=$(realpath -m "$2")
  shift 2
  architecture=$(dpkg-deb --field "$package" Architecture)
  if [[ ! -x $root/usr/bin/dpkg ]]; then
    heading "A root of ${EDGELAB_SUITE:-bookworm} for $architecture"
    debootstrap --variant=minbase --arch="$architecture" "${EDGELAB_SUITE:-bookworm}" "$root" "${EDGELAB_DEBIAN_MIRROR:-http://deb.debian.org/debian}"
  fi
  # In a mount namespace of their own (below), so that they are gone when this ends, however it ends.
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  [[ -d $root/home/lab ]] || in_root useradd --create-home lab
  apt_in_root update
  before=$(files_in_root)

  heading 'Install'
  install -D -m 644 "$package" "$root/tmp/edgelab.deb"
  apt_in_root install --no-install-recommends /tmp/edgelab.deb
  in_root edgelab --version

  heading 'The demo, as a user, on two ranks'
  # qemu-user has no reads from another process's memory, which Open MPI uses within a host.
  as_user env OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1 \
    mpirun -n 2 edgelab run /usr/share/edgelab/jobs/demo.yaml --out demo.h5 "$@"
  as_user edgelab results verify demo.h5
  as_user edgelab results show demo.h5
  as_user edgelab results report demo.h5

  heading 'Remove'
  apt_in_root purge --autoremove edgelab
  after=$(files_in_root)
  left=$(comm -13 <(printf '%s\n' "$before") <(printf '%s\n' "$after"))
  if grep -i edgelab <<<"$left"; then fail 1 'these files stayed behind.'; fi
  [[ -s $root/home/lab/demo.h5 ]] || fail 1 'the results of the user are gone.'
  say "Installed, ran and removed; other packages left $(grep -c . <<<"$left" || true) files."
}

if [[ ${1:-} == --help || ${1:-} == -h ]]; then usage && exit; fi
(($# >= 2)) || { usage >&2 && exit 2; }
((EUID == 0)) || fail 3 'a root of its own is for root to make.'
if [[ -z ${EDGELAB_IN_NAMESPACE:-} ]]; then EDGELAB_IN_NAMESPACE=yes exec unshare --mount --propagation private "$0" "$@"; fi
main "$@"
