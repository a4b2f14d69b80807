#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "results/compare/baseline.hpp"
#include "results/text/sparkline.hpp"
#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

constexpr std::size_t kColumns = 24;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double median_latency(const Side& side, const std::string& id) {
  std::vector<double> values;
  for (const RunRecord& run : side.runs) {
    for (const JobRecord& job : run.jobs) {
      if (job.id == id && job.status == Status::done && job.summary.latency_p50_ns)
        values.push_back(static_cast<double>(*job.summary.latency_p50_ns));
    }
  }
  return values.empty() ? kUnknown : median_of(values);
}

struct Trend {
  std::string id;
  std::vector<double> latency_ns;  // one a side, the present one last; NaN where it lacks the job
};

std::vector<Trend> trends_of(const std::vector<AcceptedSide>& accepted, const Side& now) {
  std::vector<Trend> trends;
  if (accepted.empty() || now.runs.empty()) return trends;
  for (const JobRecord& job : now.runs.front().jobs) {
    Trend trend{job.id, {}};
    for (const AcceptedSide& earlier : accepted) trend.latency_ns.push_back(median_latency(earlier.side, job.id));
    trend.latency_ns.push_back(median_latency(now, job.id));
    if (trend.latency_ns.back() > 0) trends.push_back(std::move(trend));
  }
  return trends;
}

}  // namespace

std::string trend_text(const std::vector<AcceptedSide>& accepted, const Side& now, const Look& look) {
  TextTable table({{"latency p50", false}, {"first"}, {"", false}, {"now"}, {"since first"}});
  bool any = false;
  for (const Trend& trend : trends_of(accepted, now)) {
    const double first = trend.latency_ns.front(), last = trend.latency_ns.back();
    table.add({{safe_for_terminal(trend.id)},
               {first > 0 ? duration_text(first) : ""},
               {sparkline(trend.latency_ns, kColumns)},
               {duration_text(last)},
               {first > 0 ? fmt::format("{:+.1f} %", 100 * (last / first - 1)) : ""}});
    any = true;
  }
  if (!any) return "";
  return painted(fmt::format("Since {}, {} accepted", time_text(accepted.front().accepted_wall_ns), accepted.size()),
                 Ink::bold, look) +
         "\n" + table.text(look);
}

nlohmann::ordered_json trend_json(const std::vector<AcceptedSide>& accepted, const Side& now) {
  nlohmann::ordered_json jobs = nlohmann::ordered_json::object();
  for (const Trend& trend : trends_of(accepted, now)) {
    auto& list = jobs[trend.id] = nlohmann::ordered_json::array();
    for (const double value : trend.latency_ns) list.push_back(value > 0 ? nlohmann::ordered_json(value) : nullptr);
  }
  nlohmann::ordered_json when = nlohmann::ordered_json::array();
  for (const AcceptedSide& earlier : accepted) when.push_back(earlier.accepted_wall_ns);
  return {{"accepted_wall_ns", std::move(when)}, {"latency_p50_ns", std::move(jobs)}};
}

}  // namespace edgelab::results
