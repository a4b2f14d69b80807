# Sourced by setup.sh: oneDNN 3.7, from apt where that has it, else built once from Debian 13's source package.
# Expects common.sh, and the functions `apt_update` and `apt_install` of setup.sh.
# shellcheck shell=bash

# The architecture that it is built for: this machine's, but in a cross build (aarch64.sh).
onednn_target=$(uname -m)
onednn_crosses() { [[ $onednn_target != $(uname -m) ]]; }

readonly kOnednnVersion=3.7.2
readonly kOnednnLeast=3.7
readonly kOnednnSuite=trixie
readonly kArchiveKeys=/usr/share/keyrings/debian-archive-keyring.gpg

# The primitives that edgelab uses, forward and backward; leaving out the others shortens the build.
readonly kOnednnPrimitives='BATCH_NORMALIZATION;BINARY;CONCAT;CONVOLUTION;ELTWISE;INNER_PRODUCT;LAYER_NORMALIZATION;MATMUL;POOLING;REDUCTION;REORDER;SOFTMAX;SUM'

edgelab_cache() { printf '%s' "${EDGELAB_CACHE:-${HOME:?HOME is not set; set it or EDGELAB_CACHE}/.cache/edgelab}"; }

# The widest x86 instruction set of this machine in oneDNN's words; empty elsewhere, where oneDNN has no such option.
onednn_isa() {
  [[ $onednn_target == x86_64 ]] || return 0
  local flags
  flags=" $(grep -m 1 '^flags' /proc/cpuinfo 2>/dev/null) "
  case $flags in
    *' amx_tile '*) printf AMX ;;
    *' avx512bw '*) printf AVX512 ;;
    *' avx2 '*) printf AVX2 ;;
    *) printf SSE41 ;;
  esac
}

# One CMake argument per line. The microkernel API exists on x86-64 only; Debian's own package builds it there only.
onednn_options() {
  local isa ukernel=OFF
  isa=$(onednn_isa)
  [[ $onednn_target != x86_64 ]] || ukernel=ON
  printf '%s\n' \
    -DCMAKE_BUILD_TYPE=Release -DDNNL_LIBRARY_TYPE=SHARED -DDNNL_CPU_RUNTIME=OMP \
    -DDNNL_BUILD_TESTS=OFF -DDNNL_BUILD_EXAMPLES=OFF -DDNNL_BUILD_DOC=OFF -DONEDNN_BUILD_GRAPH=OFF \
    -DDNNL_EXPERIMENTAL_UKERNEL=$ukernel -DDNNL_EXPERIMENTAL_SPARSE=ON \
    -DDNNL_ENABLE_WORKLOAD=TRAINING "-DDNNL_ENABLE_PRIMITIVE=$kOnednnPrimitives"
  [[ -z $isa ]] || printf '%s\n' "-DDNNL_ENABLE_PRIMITIVE_CPU_ISA=$isa"
  # A cross build is for Raspberry Pis, none of which has SVE, and oneDNN's own code for Arm is for SVE alone: half of what
  # there is to compile.
  ! onednn_crosses || printf '%s\n' -DDNNL_TARGET_ARCH=ARCH_GENERIC
}

# The folder of a build. Its key changes with the options, the instruction set, the compiler and the architecture, so that a
# home shared by unlike machines holds one build for each kind. Those of cross builds lie apart, where CMake looks for none.
onednn_prefix() {
  local key folder=''
  key=$({ onednn_options; printf '%s\n' "$onednn_target"; g++ -dumpversion 2>/dev/null || true; } | sha256sum | cut -c 1-8)
  ! onednn_crosses || folder=/$onednn_target
  printf '%s%s/onednn-%s-%s' "$(edgelab_cache)" "$folder" "$kOnednnVersion" "$key"
}

# What CMake is told of the compiler, one argument per line.
onednn_compiler() {
  if onednn_crosses; then
    printf '%s\n' "-DCMAKE_TOOLCHAIN_FILE=$here/../cmake/aarch64.cmake" "-DEDGELAB_AARCH64_ROOT=$(aarch64_root)"
  else
    printf '%s\n' -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++
  fi
}

onednn_installed_by_apt() {
  local version
  version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' libdnnl-dev 2>/dev/null) || return 1
  [[ $version == 'installed '* ]] && dpkg --compare-versions "${version#* }" ge "$kOnednnLeast"
}

onednn_offered_by_apt() {
  local version
  version=$(LC_ALL=C apt-cache policy libdnnl-dev 2>/dev/null | awk '$1 == "Candidate:" { print $2 }')
  [[ -n $version && $version != '(none)' ]] && dpkg --compare-versions "$version" ge "$kOnednnLeast"
}

# Without package lists apt knows no candidate, and Debian 13 would look like one that lacks oneDNN.
onednn_known_to_apt() { [[ -n $(apt-cache policy libdnnl-dev 2>/dev/null) ]]; }

onednn_cached() { [[ -f $(onednn_prefix)/lib/cmake/dnnl/dnnl-config.cmake ]]; }

# Addresses of Debian archives to look for the source in, one per line: the ones that this machine already uses, and
# where such a one is a dated snapshot from before 3.7.2, the same archive at a later date.
onednn_archives() {
  local archive
  [[ -z ${EDGELAB_DEBIAN_MIRROR:-} ]] || printf '%s\n' "$EDGELAB_DEBIAN_MIRROR"
  # shellcheck disable=SC2016  # apt fills in these, not the shell
  apt-get indextargets --no-release-info --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk -F '|' '$3 == "main" && $2 ~ /^(bookworm|trixie|stable|oldstable|testing)$/ && !seen[$1]++ { print $1 }' |
    while read -r archive; do
      printf '%s\n' "$archive"
      [[ ! $archive =~ ^(.*)/[0-9]{8}T[0-9]{6}Z/?$ ]] || printf '%s/20250901T000000Z/\n' "${BASH_REMATCH[1]}"
    done
}

# onednn_fetch_from ARCHIVE FOLDER: Debian 13's source package into FOLDER, by an apt of its own that leaves the
# machine's sources and lists alone. apt verifies: the archive's signature, then each file's hash. Unsigned fails.
onednn_fetch_from() {
  local archive=$1 folder=$2 version
  local own=("-oDir::Etc::sourcelist=$folder/own.sources" -oDir::Etc::sourceparts=/dev/null
    "-oDir::State::Lists=$folder/lists" "-oDir::Cache=$folder/cache" -oAPT::Sandbox::User=root
    -oAcquire::Retries=3 -oAcquire::Languages=none)
  mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
  printf '%s\n' 'Types: deb-src' "URIs: $archive" "Suites: $kOnednnSuite" 'Components: main' \
    "Signed-By: $kArchiveKeys" >"$folder/own.sources"
  # apt-get update calls a missing suite a warning; without --error-on=any a wrong archive would look like a good one.
  apt-get "${own[@]}" -q --error-on=any update || return
  version=$(apt-cache "${own[@]}" showsrc onednn | awk '$1 == "Version:" && $2 ~ /^3\.7\./ { print $2; exit }')
  if [[ -z $version ]]; then
    printf 'no onednn 3.7 in %s of %s\n' "$kOnednnSuite" "$archive"
    return 1
  fi
  (cd "$folder" && apt-get "${own[@]}" -q source --download-only "onednn=$version")
}

# onednn_unpack WORK LOG: WORK/source, complete or absent.
onednn_unpack() {
  local work=$1 log=$2 archive fetched=''
  [[ ! -d $work/source ]] || return 0
  rm -rf "$work/fetch" "$work/source.part"
  while read -r archive; do
    say "  Fetching Debian 13's source package of oneDNN from $archive"
    if onednn_fetch_from "$archive" "$work/fetch" >>"$log" 2>&1 </dev/null; then fetched=yes && break; fi
    rm -rf "$work/fetch"
  done < <(onednn_archives)
  [[ -n $fetched ]] || fail 3 "oneDNN $kOnednnLeast or newer is neither in apt nor could its source be fetched." \
    "Looked in: $(onednn_archives | tr '\n' ' ')" \
    "Set EDGELAB_DEBIAN_MIRROR to an archive of Debian that holds $kOnednnSuite, or copy" \
    "$(onednn_prefix) from a machine of the same kind. Details: $log"
  dpkg-source -x "$work"/fetch/onednn_*.dsc "$work/source.part" >>"$log" 2>&1 ||
    fail 1 "Debian's source package of oneDNN could not be unpacked." "Details: $log"
  mv "$work/source.part" "$work/source"
  rm -rf "$work/fetch"
}

# Its larger files take 1.2 GB of memory each to compile.
onednn_jobs() { compile_jobs 1200; }

# "[12/413] Building ..." at the end of ninja's log, as "3 % (12 of 413)".
ninja_progress() {
  tail -c 2000 "$1" | awk -F '[][/]' '/^\[[0-9]+\/[0-9]+\]/ { done = $2; all = $3 }
    END { if (all) printf "%d %% (%d of %d)", 100 * done / all, done, all; else print "starting" }'
}

onednn_compile() {
  local work=$1 log=$2 launcher=() options compiler
  mapfile -t options < <(onednn_options)
  mapfile -t compiler < <(onednn_compiler)
  # Compiled again after a lost cache, it comes from ccache in a minute.
  ! command -v ccache >/dev/null || launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  run_logged 'oneDNN, configuring' "$log" last_line env -u DESTDIR cmake -S "$work/source" -B "$work/build" -G Ninja \
    "${compiler[@]}" "${launcher[@]}" "${options[@]}" || return
  run_logged 'oneDNN, compiling' "$log" ninja_progress ninja -C "$work/build" -j "$(onednn_jobs)" || return
  rm -rf "$work/installed"
  env -u DESTDIR cmake --install "$work/build" --prefix "$work/installed" --strip >>"$log" 2>&1
}

# Builds into the cache. An interrupted build goes on where it stopped; two set-ups at once wait for each other.
onednn_build() {
  local prefix work log began=$SECONDS
  prefix=$(onednn_prefix)
  work=$(edgelab_cache)/build/${prefix##*/}
  log=$work/log.txt
  mkdir -p "$work" || fail 3 "cannot write to $(edgelab_cache)." 'Set EDGELAB_CACHE to a folder that you may write to.'
  exec 9>"$work.lock"
  if ! flock --nonblock 9; then
    say '  Another set-up is building oneDNN; waiting for it.'
    flock 9
    mkdir -p "$work"
  fi
  ! onednn_cached || return 0
  say "  Building oneDNN $kOnednnVersion $(onednn_isa) on $(onednn_jobs) cores, once: 20 to 30 minutes on two cores." \
    "Log: $log"
  onednn_unpack "$work" "$log"
  onednn_compile "$work" "$log" || fail 1 'oneDNN could not be built.' \
    "Log: $log" 'Run the set-up again to go on from here.'
  { onednn_options && g++ --version | head -n 1; } >"$work/installed/edgelab-build.txt"
  sync -f "$work/installed"
  mv -T "$work/installed" "$prefix"
  rm -rf "$work"
  say "  oneDNN is in $prefix ($(duration $((SECONDS - began))))."
}

# onednn_ready: nothing left to do for oneDNN.
onednn_ready() { onednn_installed_by_apt || onednn_cached; }

onednn_provide() {
  ! onednn_ready || return 0
  heading 'oneDNN'
  onednn_known_to_apt || ! may_install || apt_update
  if onednn_offered_by_apt; then apt_install libdnnl-dev; else onednn_build; fi
}
