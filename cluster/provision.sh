#!/usr/bin/env bash
# Puts the built edgelab and its files on every host of a cluster. The other side needs sshd, tar and coreutils, no more.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=cluster/common.sh
source "$here/common.sh"

usage() {
  cat <<'END'
usage: cluster/provision.sh FILE [--packages] [--program PATH]

Copies the program, the shared libraries that no Debian package brings, configs/, jobs/ and cluster/*.yaml into the
folder that FILE names, on every host that it lists. Only what differs is sent, by its SHA-256; what an interrupted
transfer left behind is used. Nothing is put in its place before all of it has arrived and has been checked.

  --packages      also install with apt, on the hosts, the Debian packages whose libraries the program uses
  --program PATH  the program to copy, else build/edgelab

  EDGELAB_RSH     how other hosts are reached, else ssh, which must not ask for a password: ssh-copy-id USER@HOST

Exit status: 0 done on all hosts, 1 failed on those that the last line names, 2 wrong usage or a bad FILE, 3 nothing to copy.
END
}

# What a host's part ends with where it can't go on; the other hosts' parts do.
give_up() {
  printf '%s%s: failed:%s %s\n' "$red" "$host" "$plain" "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# on_host COMMAND: runs it by sh on the host of this part, with this script's standard input. COMMAND holds no single quote,
# and of all that comes from a file only the folder, whose characters edgelab has checked.
on_host() {
  if [[ $place == here ]]; then (cd && sh -c "$1"); else "${remote[@]}" "$login" "sh -c '$1'"; fi
}

# matching FOLDER: the files of the manifest that lie below the host's FOLDER with the right content, sorted.
matching() {
  local answer
  answer=$(on_host "export LC_ALL=C; mkdir -p $1 && cd $1 && { sha256sum --check - 2>/dev/null; true; }" <"$work/manifest") || return
  sed -n 's/: OK$//p' <<<"$answer" | LC_ALL=C sort
}

# only_first A B: lines of the sorted file A that the sorted file B lacks.
only_first() { LC_ALL=C comm -23 "$1" "$2"; }

# Libraries outside of /usr/lib and /lib, under the names that the program asks for: oneDNN on Debian 12.
own_libraries() { ldd "$program" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// && $3 !~ /^\/(usr\/)?lib/ { print $1, $3 }'; }

# Debian packages of the other libraries, and those that mpirun needs on every host.
library_packages() {
  local path
  {
    printf '%s\n' openmpi-bin openssh-client
    ldd "$program" | awk '$2 == "=>" && $3 ~ /^\/(usr\/)?lib/ { print $3 }' | while read -r path; do
      # Since /lib is a link to /usr/lib, dpkg knows a file by either name.
      path=$(realpath "$path")
      dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}" 2>/dev/null || true
    done | sed 's/:.*//'
  } | sort -u
}

# stage FOLDER: lays out there what every host gets.
stage() {
  local name path
  mkdir -p "$1/bin" "$1/lib" "$1/cluster"
  cp "$program" "$1/bin/edgelab"
  while read -r name path; do cp -L "$path" "$1/lib/$name"; done < <(own_libraries)
  cp -RL "$here/../configs" "$here/../jobs" "$1"
  cp "$here"/*.yaml "$1/cluster"
  [[ -z $(find "$1" -name '*[[:cntrl:]\\]*' -print -quit) ]] ||
    fail 2 'a file of configs/ or jobs/ has a line end or a backslash in its name.'
}

# Libraries stand first and the program last, so that no new program meets an old library.
list_stage() {
  (cd "$1" && find lib configs jobs cluster bin -type f -print0 | xargs -0 sha256sum)
}

check_machine() {
  local kind
  kind=$(on_host 'uname -m' </dev/null) || give_up 'not reached.' "Try: ${remote[*]} $login true" \
    "What may be wrong: $program doctor --hosts $file"
  [[ $kind == "$(uname -m)" ]] || give_up "it is an $kind machine, and this program is for $(uname -m)." \
    "Build edgelab on a host of that kind (./lab build), and run ./lab hosts there with a file of such hosts."
}

# Sends what is neither in its place nor left from an interrupted transfer.
send_files() {
  local size
  matching "$folder" >"$work/in-place" || give_up 'its files could not be looked at.'
  only_first "$work/names" "$work/in-place" >"$work/wanted"
  if [[ ! -s $work/wanted ]]; then
    say "$host: all $(wc -l <"$work/names") files are in place"
    return
  fi
  matching "$folder/.incoming" >"$work/arrived" || give_up 'what an earlier transfer left could not be looked at.'
  only_first "$work/wanted" "$work/arrived" >"$work/to-send"
  size=$(cd "$work/stage" && xargs -r -d '\n' stat -L -c %s <"$work/to-send" | awk '{ sum += $1 } END { printf "%.1f", sum / 1e6 }')
  say "$host: sending $(wc -l <"$work/to-send") of $(wc -l <"$work/names") files, $size MB"
  tar -C "$work/stage" -c -f - --verbatim-files-from -T "$work/to-send" |
    on_host "tar -C $folder/.incoming -x -f -" || give_up 'the transfer was cut off.' 'Run this again: it goes on from there.'
  put_in_place
}

put_in_place() {
  # In the order of the manifest, not by name: see list_stage.
  cut -c 67- "$work/manifest" | grep -Fxf "$work/wanted" >"$work/moves"
  matching "$folder/.incoming" >"$work/arrived" || give_up 'the files that arrived could not be checked.'
  only_first "$work/wanted" "$work/arrived" >"$work/damaged"
  [[ ! -s $work/damaged ]] || give_up "arrived damaged: $(tr '\n' ' ' <"$work/damaged")" \
    'Nothing was changed there. Run this again; if it stays so, look at its card and its memory.'
  on_host "cd $folder && sync && while IFS= read -r name; do mkdir -p \"\${name%/*}\" && mv -f \".incoming/\$name\" \"\$name\" || exit 1; done && rm -rf .incoming && sync" \
    <"$work/moves" || give_up 'the files could not be put in place.'
  matching "$folder" >"$work/in-place" || give_up 'its files could not be checked.'
  only_first "$work/names" "$work/in-place" >"$work/damaged"
  [[ ! -s $work/damaged ]] || give_up "these are not what was sent: $(tr '\n' ' ' <"$work/damaged")"
}

install_packages() {
  local packages theirs ours
  # shellcheck disable=SC2016  # the other side's shell fills these in
  theirs=$(on_host '. /etc/os-release && echo "$ID $VERSION_ID"' </dev/null) || give_up 'its system could not be told.'
  ours=$(. /etc/os-release && echo "$ID ${VERSION_ID:-}")
  [[ $theirs == "$ours" ]] ||
    give_up "it runs $theirs, and this program was built on $ours, whose packages have other names." 'Build edgelab on a host with its system.'
  packages=$(library_packages | tr '\n' ' ')
  say "$host: installing $packages"
  on_host "as_root() { if test \"\$(id -u)\" = 0; then \"\$@\"; else sudo -n \"\$@\"; fi; }; as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $packages >/dev/null" \
    </dev/null || give_up 'apt could not install the packages.' "On it: sudo apt-get install --no-install-recommends $packages"
}

check_program() {
  local answer
  answer=$(on_host "$folder/bin/edgelab --version 2>&1" </dev/null) ||
    give_up "the program does not start there: $answer" 'If a library is missing: ./lab hosts FILE --packages'
  say "$host: edgelab $answer in $folder"
}

provision_host() {
  check_machine
  send_files
  [[ -z $with_packages ]] || install_packages
  check_program
}

main() {
  local failed=() login folder place host hosts own_name
  file='' with_packages='' program=$here/../build/edgelab
  while (($# > 0)); do
    case $1 in
      --packages) with_packages=yes ;;
      --program) program=${2:?'--program needs a path'} && shift ;;
      --help | -h) usage && return ;;
      -*) usage >&2 && fail 2 "unknown argument '$1'" ;;
      *)
        [[ -z $file ]] || fail 2 'one FILE is enough.'
        file=$1
        ;;
    esac
    shift
  done
  [[ -n $file ]] || { usage >&2 && fail 2 'which hosts? Name a FILE, such as configs/cluster/pi4.yaml.'; }
  [[ -x $program ]] || fail 3 "there is no $program to copy." 'Build it first: ./lab build'
  read -ra remote <<<"${EDGELAB_RSH:-ssh}"
  [[ ${remote[0]##*/} != ssh ]] || remote+=(-o BatchMode=yes -o ConnectTimeout=10 -T)

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$program" doctor --list --hosts "$file" >"$work/hosts" || exit 2
  stage "$work/stage"
  list_stage "$work/stage" >"$work/manifest"
  cut -c 67- "$work/manifest" | LC_ALL=C sort >"$work/names"
  own_name=$(id -un)
  mapfile -t hosts <"$work/hosts"
  for line in "${hosts[@]}"; do
    read -r login folder place <<<"$line"
    host=${login#*@}
    # Another user of this machine is reached by ssh, too.
    [[ $login == "$host" || ${login%@*} == "$own_name" ]] || place=there
    (provision_host) || failed+=("$host")
  done
  ((${#failed[@]} == 0)) || fail 1 "failed on ${#failed[@]} of ${#hosts[@]} hosts: ${failed[*]}"
  say "All ${#hosts[@]} hosts are ready. Next: edgelab doctor --hosts $file"
}

main "$@"
