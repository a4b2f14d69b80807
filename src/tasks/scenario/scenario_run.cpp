#include "tasks/scenario/scenario_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "results/percentile_bound.hpp"
#include "results/statistics.hpp"
#include "results/text/units.hpp"
#include "tasks/scenario/rate_search.hpp"

namespace edgelab::tasks {
namespace {

constexpr std::int64_t kOfflineCalls = 64;     // a mean of fewer is at the mercy of one straggler
constexpr std::int64_t kCallsForCeiling = 16;  // of a server's model, before the search
// The search takes latencies for independent, which queries in one queue are not: what it finds may be a little too much.
constexpr int kMostSteps = 8;
constexpr double kCeilingSlack = 1.25;  // those calls may have been slow ones

class ScenarioRun {
 public:
  ScenarioRun(const ScenarioSpec& spec, std::uint64_t seed, const Subject& subject, const Timer& timer,
              const ScenarioHooks& hooks)
      : spec_(spec), seed_(seed), subject_(subject), timer_(timer), hooks_(hooks) {}

  ScenarioOutcome run() {
    switch (spec_.kind) {
      case Scenario::single_stream: stream(1); break;
      case Scenario::multi_stream: stream(spec_.samples_per_query); break;
      case Scenario::offline:
        begin();
        outcome_.log = ask_at_once(subject_, extent(), draw(), timer_, told("offline"));
        break;
      case Scenario::server: serve(); break;
    }
    return std::move(outcome_);
  }

 private:
  void begin() {
    if (hooks_.measured_begins) hooks_.measured_begins();
  }

  void stream(int samples_per_query) {
    begin();
    outcome_.log = ask_one_by_one(subject_, samples_per_query, extent(), draw(), timer_, told(name_of(spec_.kind)));
  }

  void serve() {
    if (spec_.rate) return measure_at(*spec_.rate, false);
    const std::optional<double> found = searched_rate();
    // Where no rate goes well, the lowest that was tried shows it, and is given up as early as it was in the search.
    if (!found) return measure_at(outcome_.rates.back().queries_per_second, true);
    double rate = *found;
    measure_at(rate, false);
    for (int again = 0; again < kMostSteps && p99_of(outcome_.log) > static_cast<double>(*spec_.latency_bound_ns);
         ++again) {
      note_rate(rate, outcome_.log, false);
      measure_at(rate *= 1 - spec_.tolerance, false);
    }
  }

  void measure_at(double rate, bool gives_up) {
    outcome_.queries_per_second = rate;
    begin();
    outcome_.log = served(rate, gives_up, fmt::format("measuring at {} queries/s", results::rate_text(rate)));
  }

  void note_rate(double rate, const QueryLog& log, bool met) {
    outcome_.rates.push_back({rate, static_cast<std::int64_t>(log.latency_ns.size()), std::llround(p99_of(log)), met});
  }

  std::optional<double> searched_rate() {
    const Extent few{kCallsForCeiling, 0, spec_.max_duration_ns};
    const QueryLog alone = ask_one_by_one(subject_, 1, few, draw(), timer_, told("calls alone"));
    const double call_ns = results::percentile_of_sorted(results::ascending_of(alone.call_ns), 50);
    const double ceiling = kCeilingSlack * 1e9 * subject_.batch / std::max(call_ns, 1.0);
    return highest_rate(ceiling, spec_.tolerance, [&](double rate) { return goes_well(rate); });
  }

  bool goes_well(double rate) {
    const QueryLog log = served(rate, true, fmt::format("trying {} queries/s", results::rate_text(rate)));
    const std::vector<std::int64_t> ascending = results::ascending_of(log.latency_ns);
    const std::optional<std::int64_t> at_most = results::percentile_bound(ascending, percentile_of(Scenario::server));
    const bool met = at_most && *at_most <= *spec_.latency_bound_ns &&
                     log.latency_ns.size() == static_cast<std::size_t>(arrivals_at(rate));
    note_rate(rate, log, met);
    return met;
  }

  std::int64_t arrivals_at(double rate) const {
    const auto within = [&](std::int64_t duration_ns) {
      return static_cast<std::int64_t>(std::ceil(rate * 1e-9 * static_cast<double>(duration_ns)));
    };
    const std::int64_t wanted = std::max(extent().min_queries, within(spec_.min_duration_ns));
    return std::max<std::int64_t>(1, std::min(wanted, within(spec_.max_duration_ns)));
  }

  QueryLog served(double rate, bool gives_up, const std::string& what) {
    const std::int64_t count = arrivals_at(rate);
    // Each its own arrivals: what is found must not be luck with one series of them.
    const std::vector<std::int64_t> arrivals =
        poisson_arrivals(rate, count, stream_key(seed_, fmt::format("arrivals {}", series_++)));
    GivingUp giving_up{spec_.max_duration_ns};
    if (gives_up) {
      giving_up.bound_ns = *spec_.latency_bound_ns;
      giving_up.most_late =
          std::max<std::int64_t>(0, results::values_above_limit(count, percentile_of(Scenario::server)));
    }
    return ask_on_arrival(subject_, arrivals, giving_up, draw(), timer_, [&](std::int64_t queries, std::int64_t) {
      tell(static_cast<double>(queries) / static_cast<double>(count), what);
    });
  }

  Extent extent() const {
    return {min_queries_of(spec_, subject_.batch), spec_.min_duration_ns, spec_.max_duration_ns};
  }
  SampleDraw draw() const { return {seed_, subject_.samples}; }

  void tell(double fraction, const std::string& what) const {
    if (hooks_.check) hooks_.check();
    if (hooks_.progress) hooks_.progress(std::min(fraction, 1.0), what);
  }

  Told told(const std::string& what) const {
    return [this, what, all = extent()](std::int64_t queries, std::int64_t duration_ns) {
      const double by_count = static_cast<double>(queries) / static_cast<double>(all.min_queries);
      const double by_time =
          all.min_duration_ns > 0 ? static_cast<double>(duration_ns) / static_cast<double>(all.min_duration_ns) : 1.0;
      tell(std::min(by_count, by_time), what);
    };
  }

  const ScenarioSpec& spec_;
  std::uint64_t seed_;
  const Subject& subject_;
  const Timer& timer_;
  const ScenarioHooks& hooks_;
  ScenarioOutcome outcome_;
  int series_ = 0;
};

}  // namespace

const char* name_of(Scenario kind) {
  switch (kind) {
    case Scenario::single_stream: return "single_stream";
    case Scenario::multi_stream: return "multi_stream";
    case Scenario::server: return "server";
    case Scenario::offline: return "offline";
  }
  return "";
}

double percentile_of(Scenario kind) {
  switch (kind) {
    case Scenario::single_stream: return 90;
    case Scenario::multi_stream:
    case Scenario::server: return 99;
    case Scenario::offline: break;
  }
  return 0;
}

double p99_of(const QueryLog& log) { return results::percentile_of_sorted(results::ascending_of(log.latency_ns), 99); }

std::int64_t min_queries_of(const ScenarioSpec& spec, int batch) {
  if (spec.min_queries) return *spec.min_queries;
  return spec.kind == Scenario::offline ? kOfflineCalls * batch : results::values_needed(percentile_of(spec.kind));
}

ScenarioOutcome run_scenario(const ScenarioSpec& spec, std::uint64_t seed, const Subject& subject, const Timer& timer,
                             const ScenarioHooks& hooks) {
  return ScenarioRun(spec, seed, subject, timer, hooks).run();
}

}  // namespace edgelab::tasks
