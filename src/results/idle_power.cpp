#include "results/idle_power.hpp"

#include <optional>
#include <string>

namespace edgelab::results {
namespace {

std::optional<double> idle_watt_of(const std::string& name, std::span<const HostRecord> hosts) {
  const HostRecord* found = nullptr;
  for (const HostRecord& host : hosts) {
    if (host.name != name) continue;
    if (found != nullptr) return {};
    found = &host;
  }
  return found == nullptr ? std::nullopt : found->idle_watt;
}

}  // namespace

void subtract_idle_power(JobRecord& job, std::span<const HostRecord> hosts) {
  bool all_tell = job.summary.energy_joules.has_value();
  double idle_joules = 0;
  for (EnergyRow& row : job.energy) {
    const std::optional<double> watt = idle_watt_of(row.host, hosts);
    if (watt) row.idle_watt = *watt;
    all_tell = all_tell && watt;
    idle_joules += watt.value_or(0) * 1e-9 * static_cast<double>(row.window_ns);
  }
  if (all_tell) job.summary.energy_above_idle_joules = *job.summary.energy_joules - idle_joules;
}

}  // namespace edgelab::results
