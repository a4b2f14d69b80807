#include "batch/supervisor/interfaces.hpp"

#include "batch/doctor/findings.hpp"
#include "batch/doctor/visit.hpp"
#include "batch/supervisor/hosts.hpp"
#include "core/error.hpp"

namespace edgelab::batch {
namespace {

constexpr std::int64_t kLimitNs = 15'000'000'000;

}  // namespace

std::vector<std::string> interfaces_for(const ClusterSpec& cluster) {
  try {
    return doctor::proposed_interfaces(doctor::visit_hosts(cluster, own_facts(), kLimitNs));
  } catch (const Error&) {
    return {};
  }
}

}  // namespace edgelab::batch
