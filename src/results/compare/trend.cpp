#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "results/compare/baseline.hpp"
#include "results/compare/metrics.hpp"
#include "results/text/sparkline.hpp"
#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

constexpr std::size_t kColumns = 24;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double median_measure(const Side& side, const std::string& id, const Metric& measure) {
  std::vector<double> values;
  for (const RunRecord& run : side.runs) {
    for (const JobRecord& job : run.jobs) {
      if (job.id != id || job.status != Status::done) continue;
      if (const auto value = measure.value(job)) values.push_back(*value);
    }
  }
  return values.empty() ? kUnknown : median_of(values);
}

struct Trend {
  std::string id;
  const Metric* measure;       // that the job is judged by
  std::vector<double> values;  // one a side, the present one last; NaN where it lacks the job
};

std::vector<Trend> trends_of(const std::vector<AcceptedSide>& accepted, const Side& now) {
  std::vector<Trend> trends;
  if (accepted.empty() || now.runs.empty()) return trends;
  for (const JobRecord& job : now.runs.front().jobs) {
    const Metric& measure = measure_of(job);
    Trend trend{job.id, &measure, {}};
    for (const AcceptedSide& earlier : accepted) trend.values.push_back(median_measure(earlier.side, job.id, measure));
    trend.values.push_back(median_measure(now, job.id, measure));
    if (trend.values.back() > 0) trends.push_back(std::move(trend));
  }
  return trends;
}

}  // namespace

std::string trend_text(const std::vector<AcceptedSide>& accepted, const Side& now, const Look& look) {
  TextTable table({{"", false}, {"", false}, {"first"}, {"", false}, {"now"}, {"since first"}});
  bool any = false;
  for (const Trend& trend : trends_of(accepted, now)) {
    const double first = trend.values.front(), last = trend.values.back();
    table.add({{safe_for_terminal(trend.id)},
               {trend.measure->label},
               {first > 0 ? trend.measure->text(first) : ""},
               {sparkline(trend.values, kColumns)},
               {trend.measure->text(last)},
               {first > 0 ? fmt::format("{:+.1f} %", 100 * (last / first - 1)) : ""}});
    any = true;
  }
  if (!any) return "";
  return painted(fmt::format("Since {}, {} accepted", time_text(accepted.front().accepted_wall_ns), accepted.size()),
                 Ink::bold, look) +
         "\n" + table.text(look);
}

nlohmann::ordered_json trend_json(const std::vector<AcceptedSide>& accepted, const Side& now) {
  nlohmann::ordered_json measures = nlohmann::ordered_json::object();
  for (const Trend& trend : trends_of(accepted, now)) {
    auto& list = measures[trend.measure->name][trend.id] = nlohmann::ordered_json::array();
    for (const double value : trend.values) list.push_back(value > 0 ? nlohmann::ordered_json(value) : nullptr);
  }
  nlohmann::ordered_json when = nlohmann::ordered_json::array();
  for (const AcceptedSide& earlier : accepted) when.push_back(earlier.accepted_wall_ns);
  measures["accepted_wall_ns"] = std::move(when);
  return measures;
}

}  // namespace edgelab::results
