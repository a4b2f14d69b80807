# Sourced by emulate.sh: what part of this machine's processor an emulated host gets, by cgroups of version 1 or 2.
# Expects common.sh; $cluster, the cluster's name; $folder, its folder.
# shellcheck shell=bash disable=SC2154

# hierarchy CONTROLLER: where cgroups of this controller are mounted; fails where there are none.
hierarchy() {
  local place
  place=$(awk -v wanted="$1" '$3 == "cgroup" && index("," $4 ",", "," wanted ",") { print $2; exit }' /proc/mounts)
  [[ -n $place ]] || place=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  [[ -n $place ]] || return 1
  [[ ! -e $place/cgroup.controllers ]] || grep -qw "$1" "$place/cgroup.controllers" || return 1
  printf '%s' "$place"
}

# cgroups_of CONTROLLER: the folder that holds the cgroups of this cluster's hosts. On an emulated host the machine's own
# are out of sight (show_cgroups), and these are at hand in the cluster's folder.
cgroups_of() {
  if mountpoint -q "$folder/cgroup/$1" 2>/dev/null; then printf '%s' "$folder/cgroup/$1"; else printf '%s/edgelab-%s' "$(hierarchy "$1")" "$cluster"; fi
}

# deal_cores SHARES: for each share of "0.4,0.4,0.2" a line "SHARE CORES": as few of this process's cores as hold it, those
# that have been given the least. Programs bind their threads: left alone, hosts would meet on the first core.
deal_cores() {
  local allowed
  allowed=$(awk '$1 == "Cpus_allowed_list:" { print $2 }' /proc/self/status)
  awk -v shares="$1" -v allowed="$allowed" '
    BEGIN {
      ranges = split(allowed, range, ",")
      for (r = 1; r <= ranges; ++r) {
        ends = split(range[r], end, "-")
        for (core = end[1]; core <= end[ends]; ++core) cores[++count] = core + 0
      }
      hosts = split(shares, share, ",")
      for (h = 1; h <= hosts; ++h) {
        wanted = int(share[h]); if (wanted < share[h]) ++wanted
        if (wanted > count) wanted = count
        text = ""; split("", taken)
        for (n = 1; n <= wanted; ++n) {
          least = 0
          for (c = 1; c <= count; ++c) if (!(c in taken) && (!least || load[c] < load[least] - 1e-9)) least = c
          taken[least]; load[least] += share[h] / wanted
          text = text (n > 1 ? "," : "") cores[least]
        }
        print share[h], text
      }
    }'
}

# A quota of SHARE cores, as "QUOTA PERIOD" in microseconds. The period is as short as the kernel allows, whose smallest
# quota is 1 ms: whoever has used up his quota stands still for the rest of it, and all who wait for him.
quota_of() { awk -v share="$1" 'BEGIN { if (share < 1) print 1000, int(1000 / share + 0.5); else print int(1000 * share + 0.5), 1000 }'; }

# give_cpu HOST SHARE CORES. Whatever else runs on the machine gives way (weights and shares are the largest that there are): the
# hosts have what they were promised, and no more by their quota. Every step says for itself that the next may follow, so that
# it can be tried.
give_cpu() {
  local root quota period
  root=$(hierarchy cpu) || { echo 'there is no cpu controller' && return 1; }
  read -r quota period < <(quota_of "$2")
  if [[ -e $root/cgroup.controllers ]]; then give_cpu_v2 "$1" "$quota" "$period" "$3"; else give_cpu_v1 "$1" "$quota" "$period" "$3"; fi
}

# Version 2 hands controllers down level by level, and only to cgroups beside which no process stands.
give_cpu_v2() {
  local root parent controller place
  root=$(hierarchy cpu)
  parent=$(cgroups_of cpu)
  mkdir -p "$parent/$1" || return
  for controller in cpu cpuset; do
    grep -qw "$controller" "$root/cgroup.controllers" || continue
    for place in "$root" "$parent"; do echo "+$controller" >"$place/cgroup.subtree_control" || return; done
  done
  echo 10000 >"$parent/cpu.weight" && echo "$2 $3" >"$parent/$1/cpu.max" || return
  [[ ! -e $parent/$1/cpuset.cpus ]] || echo "$4" >"$parent/$1/cpuset.cpus"
}

give_cpu_v1() {
  local cpu cpuset place file
  cpu=$(cgroups_of cpu)/$1
  mkdir -p "$cpu" && echo 262144 >"${cpu%/*}/cpu.shares" || return
  echo "$3" >"$cpu/cpu.cfs_period_us" && echo "$2" >"$cpu/cpu.cfs_quota_us" || return
  hierarchy cpuset >/dev/null || return 0
  cpuset=$(cgroups_of cpuset)
  mkdir -p "$cpuset/$1" || return
  for place in "$cpuset" "$cpuset/$1"; do
    for file in cpuset.mems cpuset.cpus; do cat "$(hierarchy cpuset)/$file" >"$place/$file" || return; done
  done
  echo "$4" >"$cpuset/$1/cpuset.cpus"
}

# enter_cgroups HOST: this shell, and what it starts.
enter_cgroups() {
  local controller procs
  for controller in cpu cpuset; do
    hierarchy "$controller" >/dev/null || continue
    procs=$(cgroups_of "$controller")/$1/cgroup.procs
    [[ ! -e $procs ]] || echo $$ >"$procs"
  done
}

# keep_cgroups_at_hand: in a mount namespace of its own, before /sys/fs/cgroup is covered.
keep_cgroups_at_hand() {
  local controller place
  for controller in cpu cpuset; do
    mountpoint -q "$folder/cgroup/$controller" && continue
    hierarchy "$controller" >/dev/null || continue
    place=$(cgroups_of "$controller")
    [[ ! -d $place ]] || mount --bind "$place" "$folder/cgroup/$controller"
  done
}

# show_cgroups HOST: there, and with /sys/fs/cgroup empty, HOST's cgroups become all there are, as in a container: programs
# count their cores by them.
show_cgroups() {
  local controller
  if [[ -e $folder/cgroup/cpu/$1/cpu.max ]]; then
    mount --bind "$folder/cgroup/cpu/$1" /sys/fs/cgroup
    return
  fi
  mount -t tmpfs edgelab /sys/fs/cgroup
  for controller in cpu cpuset; do
    [[ -d $folder/cgroup/$controller/$1 ]] || continue
    mkdir "/sys/fs/cgroup/$controller"
    mount --bind "$folder/cgroup/$controller/$1" "/sys/fs/cgroup/$controller"
  done
}

# remove_cgroups: those of the cluster; nothing runs in them any more.
remove_cgroups() {
  local controller parent
  for controller in cpu cpuset; do
    hierarchy "$controller" >/dev/null || continue
    parent=$(cgroups_of "$controller")
    [[ ! -d $parent ]] || find "$parent" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}
