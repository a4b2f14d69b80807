# Sourced by setup.sh: what a cross build for 64-bit Arm needs beside the compiler, in the cache: a root of Debian's arm64
# packages, and oneDNN. The machine's own dpkg is left alone: not all of the packages can be installed for two architectures
# at once, and nobody has to be root to unpack them. Expects common.sh, onednn.sh and `listed_packages` of setup.sh.
# shellcheck shell=bash

# Packages that the others depend on, of no use to a cross compiler or to a program under qemu: compilers and package tools.
readonly kNotInRoot='^(gcc|g\+\+|cpp|gfortran|binutils|libbinutils|perl|libperl|automake|autoconf|autotools-dev|m4|dpkg|tar|passwd|openssh-client|libasan|libtsan|libhwasan|liblsan|libubsan)'

aarch64_packages() { listed_packages | grep -E '^(lib|nlohmann-json|openmpi-bin)'; }

# Its key changes with the packages and with Debian's release.
aarch64_root() {
  local key
  key=$({ aarch64_packages; printf '%s\n' "$kNotInRoot"; . /etc/os-release; printf '%s' "${VERSION_CODENAME:-}"; } | sha256sum | cut -c 1-8)
  printf '%s/aarch64/root-%s' "$(edgelab_cache)" "$key"
}

# aarch64_apt WORK COMMAND...: an apt of its own for arm64, with this machine's sources and keys.
aarch64_apt() {
  local work=$1
  shift
  "$@" -q -oAPT::Architecture=arm64 -oAPT::Architectures::=arm64 -oDir::State="$work" -oDir::State::status="$work/status" \
    -oDir::Cache="$work/cache" -oAPT::Sandbox::User=root -oAcquire::Retries=3 -oAcquire::Languages=none -oDebug::NoLocking=1
}

aarch64_fetch() {
  local work=$1 wanted packages
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
  : >"$work/status"
  aarch64_apt "$work" apt-get update
  mapfile -t wanted < <(aarch64_packages)
  packages=$(aarch64_apt "$work" apt-get --simulate --no-install-recommends install "${wanted[@]}") || { printf '%s\n' "$packages"; return 1; }
  mapfile -t wanted < <(awk '$1 == "Inst" { print $2 }' <<<"$packages" | grep -vE "$kNotInRoot")
  (cd "$work/packages" && aarch64_apt "$work" apt-get download "${wanted[@]}")
}

# Links that lead out of the root, once unpacked, are made to stay in it.
aarch64_unpack() {
  local work=$1 package link target
  rm -rf "$work/root"
  mkdir "$work/root"
  for package in "$work"/packages/*.deb; do
    dpkg-deb --extract "$package" "$work/root" || return
    # "PACKAGE ./PATH" a line: which package brings a library (cmake/package_depends.sh).
    dpkg-deb --contents "$package" | awk -v name="$(dpkg-deb --field "$package" Package)" '$6 ~ /\.so/ { print name, $6 }' >>"$work/root/packages.txt"
  done
  while read -r link target; do
    ln -sfnr "$work/root$target" "$work/root/$link" || return
  done < <(find "$work/root" -type l -lname '/*' -printf '%P %l\n')
}

aarch64_make_root() { aarch64_fetch "$1" && aarch64_unpack "$1"; }

aarch64_ready() { [[ -d $(aarch64_root) ]] && { onednn_target=aarch64 && onednn_cached; }; }

aarch64_provide() {
  local root work
  root=$(aarch64_root)
  if [[ ! -d $root ]]; then
    heading 'Debian packages of arm64'
    mkdir -p "${root%/*}"
    work=$(mktemp -d "${root%/*}/incoming-XXXXXX")
    run_logged 'packages of arm64' "$work/log.txt" last_line aarch64_make_root "$work" ||
      fail 1 'the packages of arm64 could not be fetched and unpacked.' "Log: $work/log.txt"
    # Another set-up may have been faster.
    mv -T "$work/root" "$root" 2>/dev/null || [[ -d $root ]] || fail 3 "cannot write $root."
    rm -rf "$work"
    say "  The root is $root."
  fi
  onednn_target=aarch64
  onednn_cached || { heading 'oneDNN for aarch64' && onednn_build; }
}
