#include "parallel/host_layout.hpp"

#include <algorithm>
#include <fstream>

#include "core/machine.hpp"

namespace edgelab::parallel {

std::vector<int> HostLayout::ranks_on(int host) const {
  std::vector<int> ranks;
  for (std::size_t rank = 0; rank < host_of_rank.size(); ++rank) {
    if (host_of_rank[rank] == host) ranks.push_back(static_cast<int>(rank));
  }
  return ranks;
}

int HostLayout::index_on_host(int rank) const {
  const auto begin = host_of_rank.begin();
  return static_cast<int>(std::count(begin, begin + rank, host_of_rank[static_cast<std::size_t>(rank)]));
}

int HostLayout::count_on_host(int rank) const {
  return static_cast<int>(std::count(host_of_rank.begin(), host_of_rank.end(), host_of_rank[static_cast<std::size_t>(rank)]));
}

HostIdentity this_host() {
  HostIdentity identity{this_machine().host_name, ""};
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, identity.boot);
  return identity;
}

HostLayout layout_of(std::span<const HostIdentity> by_rank) {
  HostLayout layout;
  std::vector<HostIdentity> seen;
  for (const HostIdentity& identity : by_rank) {
    const auto found = std::find(seen.begin(), seen.end(), identity);
    layout.host_of_rank.push_back(static_cast<int>(found - seen.begin()));
    if (found != seen.end()) continue;
    seen.push_back(identity);
    layout.names.push_back(identity.name);
  }
  return layout;
}

}  // namespace edgelab::parallel
