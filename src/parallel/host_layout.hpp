#pragma once

#include <span>
#include <string>
#include <vector>

namespace edgelab::parallel {

// Which ranks of a communicator share a host. Hosts are numbered by their lowest rank.
struct HostLayout {
  std::vector<int> host_of_rank;
  std::vector<std::string> names;  // by host; as the kernel names it

  int hosts() const { return static_cast<int>(names.size()); }
  std::vector<int> ranks_on(int host) const;  // ascending
  int index_on_host(int rank) const;          // how many lower ranks share rank's host
  int count_on_host(int rank) const;
};

// What tells hosts apart: name and boot. Names alone would take two Raspberry Pis fresh from the box, both
// "raspberrypi", for one; boots alone would take the namespaces of an emulated cluster for one.
struct HostIdentity {
  std::string name;
  std::string boot;  // /proc/sys/kernel/random/boot_id
  bool operator==(const HostIdentity&) const = default;
};
HostIdentity this_host();
HostLayout layout_of(std::span<const HostIdentity> by_rank);

}  // namespace edgelab::parallel
