#!/usr/bin/env bash
# A Slurm of one's own on this machine, for tests: munged, slurmctld and slurmd of Debian's slurm-wlm, without systemd or
# cgroups, on loopback addresses. All they have and write is in FOLDER; nothing of the system's Slurm is read or touched.
set -euo pipefail

usage() {
  cat <<'END'
usage: slurm.sh start FOLDER   start it, unless it runs already; then: export SLURM_CONF=FOLDER/slurm.conf
       slurm.sh stop FOLDER    end it and what it still runs, and remove FOLDER

Two nodes of two tasks, each a slurmd under a host name of its own; or one node of four, where this machine lets nobody
make namespaces, as in many containers. Jobs of its partitions `low` (the default) and `graceful` are requeued when a job of `high` wants
their place; those of `graceful` are told so 20 seconds before. A requeued job waits two minutes, unless
`scontrol update job=ID StartTime=now` says otherwise. FOLDER's path is short (a socket's name has at most 107 bytes)
and has no spaces.

Exit status: 0 done, 1 it did not start (the logs' ends are on stderr), 2 wrong usage, 3 Slurm is not installed, or this
user is not root.
END
}

die() {
  local status=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$status"
}

# Debian has the daemons in /usr/sbin, which is not in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
readonly kPatience=30 # seconds

# choose_nodes: names for them; they are kept in FOLDER/nodes.
choose_nodes() {
  if unshare --uts --mount true 2>/dev/null; then
    printf '%s\n' edgelab1 edgelab2
  else
    hostname -s
  fi
}
daemons() { # in the order in which they start
  printf '%s\n' munged slurmctld
  sed 's/^/slurmd-/' "$folder/nodes"
}

pid_of() { cat "$folder/$1.pid" 2>/dev/null; }

# alive DAEMON: the process of its pid file is the one that was started here, which its arguments tell: a pid may have
# been given to another since.
alive() {
  local pid arguments
  pid=$(pid_of "$1") && [[ -n $pid ]] || return 1
  arguments=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") && [[ $arguments == *"${1%%-*}"*"$folder/"* ]]
}
gone() { ! alive "$1"; }

# wait_until COMMAND...: COMMAND succeeded within the time.
wait_until() {
  local end=$((SECONDS + kPatience))
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

free_ports() {
  python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(each.getsockname()[1] for each in sockets), sep="\n")' "$1"
}

write_configuration() {
  local nodes ports node
  mapfile -t nodes <"$folder/nodes"
  mapfile -t ports < <(free_ports $((${#nodes[@]} + 1)))
  cat >"$folder/slurm.conf" <<END
ClusterName=edgelab-test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=${ports[0]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
MaxArraySize=100
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=20
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 MaxTime=INFINITE State=UP
PartitionName=graceful Nodes=ALL PriorityTier=1 GraceTime=20 MaxTime=INFINITE State=UP
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
END
  for node in "${!nodes[@]}"; do
    printf 'NodeName=%s NodeAddr=127.0.0.1 Port=%s CPUs=%d State=UNKNOWN\n' "${nodes[node]}" "${ports[node + 1]}" \
      $((4 / ${#nodes[@]})) >>"$folder/slurm.conf"
    mkdir -p "$folder/spool-${nodes[node]}"
  done
  { cat /etc/hosts && sed 's/^/127.0.0.1 /' "$folder/nodes"; } >"$folder/hosts"
}

munge_answers() { munge -S "$folder/munge.socket" -n >/dev/null 2>&1; }
nodes_are_up() { [[ $(sinfo --noheader --partition=low --states=idle,mixed,allocated,completing --format=%D 2>/dev/null) == "$(wc -l <"$folder/nodes")" ]]; }
nothing_runs() { [[ -z $(squeue -h 2>/dev/null) ]]; }

launch() {
  case $1 in
    munged)
      munged --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
        --seed-file="$folder/munge.seed" --log-file="$folder/munged.log" && wait_until munge_answers
      ;;
    slurmctld) slurmctld -f "$folder/slurm.conf" && wait_until alive slurmctld ;;
    slurmd-*) launch_node "${1#slurmd-}" && wait_until alive "$1" ;;
  esac
}

# With its own host name, or mpirun takes all nodes for this machine; and with an /etc/hosts that knows the nodes, which
# nobody else sees.
launch_node() {
  if [[ $1 == "$(hostname -s)" ]]; then
    slurmd -N "$1" -f "$folder/slurm.conf"
  else
    # shellcheck disable=SC2016 # the inner shell's arguments
    unshare --uts --mount sh -ec 'hostname "$1"; mount --bind "$2/hosts" /etc/hosts; exec slurmd -N "$1" -f "$2/slurm.conf"' \
      sh "$1" "$folder"
  fi
}

not_started() {
  tail -n 15 "$folder"/*.log >&2 || true
  die 1 "$1 did not start"
}

start() {
  local needed
  for needed in munged slurmctld slurmd sbatch python3; do
    command -v "$needed" >/dev/null || die 3 "there is no $needed: apt-get install slurm-wlm munge python3"
  done
  ((EUID == 0)) || die 3 'Slurm runs jobs as their owners, and so must be root'
  mkdir -p "$folder/state"
  chmod 755 "$folder" # munge wants the way to its socket to be open to all
  [[ -s $folder/munge.key ]] || (umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")
  [[ -s $folder/nodes ]] || choose_nodes >"$folder/nodes"
  [[ -s $folder/slurm.conf ]] || write_configuration
  export SLURM_CONF=$folder/slurm.conf
  local daemon
  for daemon in $(daemons); do
    alive "$daemon" || launch "$daemon" || not_started "$daemon"
  done
  wait_until nodes_are_up || not_started 'a node'
}

# A job and its slurmstepd outlive slurmd.
end_jobs() {
  export SLURM_CONF=$folder/slurm.conf
  alive slurmctld || return 0
  scancel --full --signal=KILL --user="$(id -un)" 2>/dev/null || true
  scancel --user="$(id -un)" 2>/dev/null || true
  wait_until nothing_runs || true
}

stop() {
  local daemon
  [[ -d $folder ]] || return 0
  [[ -f $folder/munge.key ]] || die 2 "$folder was not made by slurm.sh"
  end_jobs
  for daemon in $(daemons | tac); do
    ! alive "$daemon" || kill -TERM "$(pid_of "$daemon")" || true
    wait_until gone "$daemon" || kill -KILL "$(pid_of "$daemon")" || true
  done
  rm -rf "$folder"
}

main() {
  (($# == 2)) || { usage >&2 && exit 2; }
  folder=$(realpath -m "$2")
  readonly folder
  case $1 in
    start) start ;;
    stop) stop ;;
    *) usage >&2 && exit 2 ;;
  esac
}

main "$@"
