#!/usr/bin/env bash
# Makes a small cluster out of this machine: hosts with names, links and processors of their own, which a real mpirun crosses.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here self=$here/emulate.sh
# shellcheck source=cluster/common.sh
source "$here/common.sh"
# shellcheck source=cluster/emulated_cpu.sh
source "$here/emulated_cpu.sh"

usage() {
  cat <<'END_OF_USAGE'
usage: cluster/emulate.sh up [--hosts N] [--link RATE] [--cpu CORES[,CORES…]] [--delay TIME] [--ranks N] [--name NAME]
       cluster/emulate.sh down [--name NAME]
       cluster/emulate.sh status [--name NAME]
       cluster/emulate.sh exec HOST COMMAND…

Emulates a cluster on this machine: each host is a network namespace with a host name of its own and a part of the
processor, and all are joined by a switch whose links are as slow as asked for. `up` prints how to run something on it.
It may be repeated; `down` ends what runs there and removes everything, also what an `up` that was killed left behind.

  --hosts N        how many (4), named emu1, emu2, …
  --link RATE      of every link, in each direction (1gbit), such as 100mbit; none: as fast as it goes
  --cpu CORES      cores of every host, or of each one: 0.4,0.4,0.2,0.1; none: no limit. Without it the hosts share
                   four fifths of this machine's cores
  --delay TIME     of every packet, such as 0.2ms; needs netem in the kernel (0)
  --ranks N        ranks a host in the host files (1)
  --name NAME      lower-case letters; the hosts are NAME1, NAME2, … (emu). Several clusters may be up at once

exec runs a command as ssh would: its words, joined by blanks, go to a shell on that host. Open MPI started there takes
it for its remote shell. Root is needed, or sudo, which is then called; under sudo a command runs as its caller.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 not possible with this kernel or for this user; exec: the command's own.
END_OF_USAGE
}

readonly kClusters=/run/edgelab-emulated # in memory: not even a power cut leaves anything
readonly kNetwork=10.231.77              # only emulated hosts see it, so the machine may have one like it

# use_cluster NAME
use_cluster() {
  cluster=$1 folder=$kClusters/$1
  [[ $cluster =~ ^[a-z]{1,10}$ ]] || fail 2 "'$cluster' is no name of a cluster." 'It takes one to ten lower-case letters.'
}

# attempt WHAT HINT COMMAND...: where the kernel refuses, says what, why, and what can be done.
attempt() {
  local what=$1 hint=$2 answer
  shift 2
  answer=$("$@" 2>&1) || fail 3 "$what can't be made here: ${answer:-$1 failed}" "$hint"
}

in_switch() { nsenter --net="$folder/switch.net" "$@"; }
on_network_of() { nsenter --net="$folder/$1.net" "${@:2}"; }

# become_root ARGUMENTS...: goes on as root, by sudo, with these arguments of this script.
become_root() {
  ((EUID != 0)) || return 0
  command -v sudo >/dev/null || fail 3 'an emulated cluster needs root, and there is no sudo.'
  sudo -n true 2>/dev/null || [[ -t 0 ]] || fail 3 'an emulated cluster needs root, and sudo asks for a password.' \
    "Start as root what is to run on it, or let sudo go without one for $self."
  # sudo sets PATH anew and takes LD_LIBRARY_PATH out, whatever it is told.
  exec sudo --preserve-env -- env "PATH=$PATH" "HOME=$HOME" ${LD_LIBRARY_PATH:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"} "$self" "$@"
}

# begin_change ARGUMENTS...: one at a time, and not on a host, where the machine's own files are out of sight.
begin_change() {
  [[ -z ${EMULATED_HOST:-} ]] || fail 2 'this is an emulated host.' 'Do it on the machine itself.'
  become_root "$@"
  exec {lock}<"$self"
  flock "$lock"
}

# --- Up --------------------------------------------------------------------------------------------------------------

require_programs() {
  local program
  for program in ip tc nsenter unshare mountpoint setpriv; do
    command -v "$program" >/dev/null || fail 3 "there is no $program." 'sudo apt-get install iproute2 util-linux'
  done
  # Open MPI and edgelab take the words of a remote shell apart at blanks.
  [[ $self != *[[:space:]]* ]] || fail 3 "the path of this checkout has a blank in it: $self" 'Move it to one that has none.'
}

# check OPTION TEXT PATTERN EXAMPLE
check() { [[ $2 =~ ^($3)$ ]] || fail 2 "$1 does not take '$2'." "Such as: $1 $4"; }

check_settings() {
  check --hosts "$hosts" '[1-9]|[1-9][0-9]|1[0-9][0-9]' 4
  check --ranks "$ranks" '[1-9]|[1-9][0-9]' 1
  check --link "$link" '[0-9]+(\.[0-9]+)?[kmg]?bit|none' 100mbit
  check --delay "$delay" '0|[0-9]+(\.[0-9]+)?(us|ms|s)' 0.2ms
  check --cpu "$cpu" '[0-9]*(\.[0-9]+)?(,[0-9]*(\.[0-9]+)?)*|none' 0.4
}

# One share of the processor for each host, or nothing where it is not to be limited.
shares_of_cpu() {
  local cores share
  cores=$(nproc)
  [[ $cpu != none ]] || return 0
  [[ -n $cpu ]] || cpu=$(awk -v cores="$cores" -v hosts="$hosts" 'BEGIN { printf "%.2g", 0.8 * cores / hosts }')
  [[ $cpu == *,* ]] || cpu=$(seq "$hosts" | sed "s|.*|$cpu|" | paste -sd,)
  [[ $(tr , '\n' <<<"$cpu" | wc -l) == "$hosts" ]] || fail 2 "--cpu names not as many hosts as there are, $hosts: $cpu"
  for share in ${cpu//,/ }; do
    awk -v share="$share" -v cores="$cores" 'BEGIN { exit !(share >= 0.01 && share <= cores) }' ||
      fail 2 "--cpu gives a host $share cores." "It can have 0.01 to $cores of this machine's."
  done
  awk -v shares="$cpu" -v cores="$cores" 'BEGIN { n = split(shares, s, ","); for (i = 1; i <= n; ++i) sum += s[i]; exit !(sum > cores) }' &&
    say "note: the hosts are promised more than this machine's $cores cores: they will take time from one another." >&2
  printf '%s' "$cpu"
}

# limit DEVICE DELAY COMMAND...: what the device sends; COMMAND runs another where it is. As much may go at once as the
# link takes in 1 ms, but a packet at least.
limit() {
  local device=$1 wait=$2 parent=(root) burst
  shift 2
  if [[ $wait != 0 ]]; then
    attempt 'a delay' 'It takes sch_netem (CONFIG_NET_SCH_NETEM): sudo modprobe sch_netem. Or leave out --delay.' \
      "$@" tc qdisc add dev "$device" root handle 1: netem delay "$wait" limit 100000
    parent=(parent 1:1)
  fi
  [[ $link != none ]] || return 0
  burst=$(awk -v rate="$link" 'BEGIN {
    factor["k"] = 1e3; factor["m"] = 1e6; factor["g"] = 1e9; unit = substr(rate, match(rate, /[kmg]?bit/), 1)
    bytes = rate * (unit == "b" ? 1 : factor[unit]) / 8000; if (bytes < 1600) bytes = 1600; printf "%d", bytes }')
  attempt "a link of $link" 'It takes sch_tbf (CONFIG_NET_SCH_TBF): sudo modprobe sch_tbf. Or go on without: --link none' \
    "$@" tc qdisc add dev "$device" "${parent[@]}" handle 10: tbf rate "$link" burst "$burst" latency 50ms
}

make_switch() {
  touch "$folder/switch.net"
  attempt 'a network namespace' 'It takes CONFIG_NET_NS, and in a container the rights of the machine: docker run --privileged' \
    unshare --net="$folder/switch.net" true
  attempt 'a switch' 'It takes bridge (CONFIG_BRIDGE): sudo modprobe bridge' in_switch ip link add switch type bridge
  in_switch ip link set switch up
}

# make_host HOST ADDRESS
make_host() {
  touch "$folder/$1.net" "$folder/$1.uts"
  attempt "host $1" 'It takes CONFIG_NET_NS and CONFIG_UTS_NS.' unshare --net="$folder/$1.net" --uts="$folder/$1.uts" hostname "$1"
  attempt 'a cable' 'It takes veth (CONFIG_VETH): sudo modprobe veth' \
    in_switch ip link add "$1" type veth peer name eth0 netns "$folder/$1.net"
  in_switch ip link set "$1" master switch up
  on_network_of "$1" ip address add "$2/24" dev eth0
  on_network_of "$1" ip link set lo up
  on_network_of "$1" ip link set eth0 up
  limit eth0 "$delay" on_network_of "$1"
  limit "$1" 0 in_switch
}

# Lines "HOST ADDRESS SHARE CORES", with - where there is no limit.
list_hosts() {
  local number=0 share cores
  if [[ -n $shares ]]; then deal_cores "$shares"; else seq "$hosts" | sed 's|.*|- -|'; fi | while read -r share cores; do
    ((++number))
    printf '%s %s %s %s\n' "$cluster$number" "$kNetwork.$number" "$share" "$cores"
  done
}

# For names, for mpirun, and for --hosts.
write_host_files() {
  local host address rest
  {
    printf '127.0.0.1 localhost\n'
    while read -r host address rest; do printf '%s %s\n' "$address" "$host"; done <"$folder/table"
  } >"$folder/etc-hosts"
  while read -r host rest; do printf '%s slots=%d\n' "$host" "$ranks"; done <"$folder/table" >"$folder/hosts"
  {
    printf '# Made by cluster/emulate.sh.\ncluster:\n  hosts:\n'
    while read -r host rest; do printf '    - {name: %s, ranks: %d}\n' "$host" "$ranks"; done <"$folder/table"
    printf '  interfaces: [eth0]\n  folder: %s\n' "$(dirname "$here")"
  } >"$folder/hosts.yaml"
}

build_cluster() {
  local host address share cores
  mkdir -p "$folder/cgroup/cpu" "$folder/cgroup/cpuset"
  list_hosts >"$folder/table"
  write_host_files
  make_switch
  while read -r host address share cores; do
    make_host "$host" "$address"
    [[ $share == - ]] ||
      attempt "a share of $share of a core" 'It takes cgroups with the cpu controller (CONFIG_CFS_BANDWIDTH), and the right to make some. Or go on without: --cpu none' \
        give_cpu "$host" "$share" "$cores"
  done <"$folder/table"
  while read -r host rest; do attempt "a command on $host" "Try: $self exec $host true" "$self" exec "$host" true; done <"$folder/table"
  printf '%s\n' "$settings" >"$folder/settings" # last: the rest is there
}

say_how_to_use() {
  local run="cluster/emulate.sh exec ${cluster}1"
  say "$hosts hosts from ${cluster}1 are up: links $link, cores ${shares:-not limited}. From the top of the checkout:"
  say "  $run mpirun -n $((hosts * ranks)) --hostfile $folder/hosts build/edgelab run jobs/demo.yaml"
  say "  $run build/edgelab submit --hosts $folder/hosts.yaml jobs/demo.yaml"
}

up() {
  local hosts=4 link=1gbit cpu='' delay=0 ranks=1 shares settings given=("$@")
  while (($# > 0)); do
    [[ -n ${2:-} ]] || { usage >&2 && fail 2 "$1 is not complete, or none of the options."; }
    case $1 in
      --hosts) hosts=$2 ;;
      --link) link=$2 ;;
      --cpu) cpu=$2 ;;
      --delay) delay=$2 ;;
      --ranks) ranks=$2 ;;
      --name) use_cluster "$2" ;;
      *) usage >&2 && fail 2 "unknown argument '$1'" ;;
    esac
    shift 2
  done
  check_settings
  require_programs
  begin_change up "${given[@]}"
  shares=$(shares_of_cpu) || exit
  settings="hosts $hosts, links $link, delay $delay, cores ${shares:-not limited}, ranks $ranks"
  if [[ $(cat "$folder/settings" 2>/dev/null) != "$settings" ]]; then
    [[ -z $(processes) ]] || fail 1 "programs run on the hosts that are up, which are others: $(cat "$folder/settings")" "First: $self down --name $cluster"
    remove_cluster
    # Half a cluster is none.
    trap remove_cluster EXIT
    build_cluster
    trap - EXIT
  fi
  say_how_to_use
}

# --- Down ------------------------------------------------------------------------------------------------------------

# Those in the hosts' network namespaces: one that has no cgroup is found, too.
processes() {
  local inodes
  inodes=$(stat -L -c %i "$folder"/*.net 2>/dev/null) || return 0
  stat -L -c '%i %n' /proc/[0-9]*/ns/net 2>/dev/null | awk -v inodes="$inodes" '
    BEGIN { count = split(inodes, list); for (i = 1; i <= count; ++i) ours[list[i]] }
    $1 in ours { split($2, part, "/"); print part[3] }'
}

end_processes() {
  local signal tries
  for signal in TERM KILL; do
    for tries in {1..30}; do
      [[ -n $(processes) ]] || return 0
      # shellcheck disable=SC2046 # one word a process
      ((tries > 1)) || kill -s "$signal" $(processes) 2>/dev/null || true
      sleep 0.1
    done
  done
  fail 1 "these processes do not end: $(processes | paste -sd' ')"
}

# Works on whatever there is, in any state.
remove_cluster() {
  local file
  [[ -d $folder ]] || return 0
  end_processes
  for file in "$folder"/*.net "$folder"/*.uts; do
    while mountpoint -q "$file"; do umount "$file"; done # the last of a namespace: its devices go with it
  done
  remove_cgroups
  rm -rf --one-file-system "$folder"
  rmdir --ignore-fail-on-non-empty "$kClusters"
}

down() {
  local given=("$@")
  take_name "$@"
  begin_change down "${given[@]}"
  if [[ -d $folder ]]; then remove_cluster && say "$cluster is down."; else say "$cluster is not up."; fi
}

# take_name ARGUMENTS...: --name NAME or nothing.
take_name() {
  (($# == 0)) || { [[ $1 == --name && $# == 2 ]] && use_cluster "$2"; } || { usage >&2 && fail 2 "unknown arguments '$*'"; }
}

# --- Looking, and working there --------------------------------------------------------------------------------------

status() {
  local host address share cores
  take_name "$@"
  if [[ ! -d $folder ]]; then
    say "$cluster is not up."
    return
  fi
  [[ -e $folder/settings ]] || fail 1 "an up of $cluster was cut off, or goes on." "To remove what it left: $self down --name $cluster"
  heading "$cluster: $(cat "$folder/settings")"
  printf '%-14s %-14s %6s  %s\n' host address cores 'which'
  while read -r host address share cores; do printf '%-14s %-14s %6s  %s\n' "$host" "$address" "$share" "$cores"; done <"$folder/table"
  say "Host files: $folder/hosts (mpirun --hostfile), $folder/hosts.yaml (--hosts)"
}

# exec_on HOST COMMAND...
exec_on() {
  (($# > 1)) || { usage >&2 && fail 2 'exec takes a host and a command.'; }
  become_root exec "$@"
  local host=${1#*@}
  use_cluster "${host%%[0-9]*}"
  mountpoint -q "$folder/$host.uts" || fail 3 "there is no emulated host '$host'." "What there is: $self status --name $cluster"
  enter_cgroups "$host"
  exec nsenter --net="$folder/$host.net" --uts="$folder/$host.uts" unshare --mount "$self" inside "$host" "${*:2}"
}

# inside HOST COMMAND: the second half of exec, in a mount namespace of its own. /sys shows the host's network, and its part
# of the processor as if that were all.
inside() {
  local host=$1 command=$2 share limits user
  use_cluster "${host%%[0-9]*}"
  keep_cgroups_at_hand
  mount -t sysfs edgelab /sys
  show_cgroups "$host"
  mount --bind "$folder/etc-hosts" /etc/hosts
  share=$(awk -v host="$host" '$1 == host { print $3 == "-" ? "cores not limited" : $3 " cores" }' "$folder/table")
  limits=$(cut -d, -f2,3 "$folder/settings" 2>/dev/null) || true # not there yet when up tries the host
  # For the results. Not EDGELAB_…, since `submit` hands those of its own host to all.
  export EMULATED_HOST="$share,$limits"
  export OMPI_MCA_plm_rsh_agent="$self exec" PRTE_MCA_plm_ssh_agent="$self exec"
  user=${SUDO_UID:-0}
  if ((user == 0)); then
    allow_mpirun_as_root
    exec bash -c "$command"
  fi
  exec setpriv --reuid "$user" --regid "$SUDO_GID" --init-groups env -u SUDO_UID -u SUDO_GID -u SUDO_USER -u SUDO_COMMAND bash -c "$command"
}

main() {
  local command=${1:-help}
  (($# == 0)) || shift
  use_cluster emu
  case $command in
    up) up "$@" ;;
    down) down "$@" ;;
    status) status "$@" ;;
    exec) exec_on "$@" ;;
    inside) inside "$@" ;;
    help | --help | -h) usage ;;
    *) usage >&2 && fail 2 "unknown command '$command'" ;;
  esac
}

main "$@"
