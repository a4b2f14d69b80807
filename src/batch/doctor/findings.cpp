#include "batch/doctor/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include "core/error.hpp"
#include "results/text/units.hpp"

namespace edgelab::batch::doctor {

std::string_view level_name(Level level) {
  constexpr std::array<std::string_view, 4> kNames{"ok", "note", "warn", "bad"};
  return kNames[static_cast<std::size_t>(level)];
}

std::vector<Finding> clock_findings(const Visit& visit) {
  if (!visit.clock) return {};
  constexpr std::int64_t kWarnNs = 500'000'000;
  const auto& [offset_ns, uncertainty_ns] = *visit.clock;
  const std::string text = fmt::format("the clock is {} by {} ± {}", offset_ns < 0 ? "behind" : "ahead",
                                       results::duration_text(static_cast<double>(std::abs(offset_ns))),
                                       results::duration_text(static_cast<double>(uncertainty_ns)));
  if (std::abs(offset_ns) <= uncertainty_ns)
    return {
        {visit.host.name, "clock", Level::ok,
         "the clock agrees with this machine's within " + results::duration_text(static_cast<double>(uncertainty_ns)),
         ""}};
  if (std::abs(offset_ns) - uncertainty_ns <= kWarnNs) return {{visit.host.name, "clock", Level::ok, text, ""}};
  return {{visit.host.name, "clock", Level::warn,
           text + ", and times of different hosts in one log or results file mislead",
           "sudo timedatectl set-ntp true, and wait a minute"}};
}

std::vector<Finding> findings_of(const ClusterSpec& cluster, const std::vector<Visit>& visits) {
  std::vector<Finding> all;
  const auto add = [&](std::vector<Finding> more) { std::move(more.begin(), more.end(), std::back_inserter(all)); };
  for (const Visit& visit : visits) {
    add(reach_findings(visit, cluster));
    add(clock_findings(visit));
    if (visit.facts) add(state_findings(*visit.facts, visit.host));
  }
  add(program_findings(visits));
  add(cpu_findings(visits));
  add(network_findings(visits, cluster));
  const auto place = [&](const Finding& finding) {
    const auto at =
        std::find_if(visits.begin(), visits.end(), [&](const Visit& visit) { return visit.host.name == finding.host; });
    return at - visits.begin();
  };
  std::stable_sort(all.begin(), all.end(), [&](const Finding& a, const Finding& b) { return place(a) < place(b); });
  return all;
}

int exit_code_of(const std::vector<Finding>& findings) {
  const bool bad =
      std::any_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.level == Level::bad; });
  return bad ? exit_code_of(ErrorKind::environment) : 0;
}

}  // namespace edgelab::batch::doctor
