#include "results/compare/metrics.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

constexpr std::string_view kServerRate = "queries_per_second";

template <auto kMember>
std::optional<double> value(const JobRecord& job) {
  const auto& held = job.summary.*kMember;
  return held ? std::optional<double>(static_cast<double>(*held)) : std::nullopt;
}

std::optional<double> server_rate(const JobRecord& job) {
  return job.scenario.metric == kServerRate ? std::optional(job.scenario.value) : std::nullopt;
}

// Of single streams alone, which are about it: beside p50 and p99 it tells little of others.
std::optional<double> single_stream_p90(const JobRecord& job) {
  return job.scenario.metric == "latency_p90_ns" ? value<&Summary::latency_p90_ns>(job) : std::nullopt;
}

constexpr Metric kMetrics[] = {
    {"latency_p50_ns", "latency p50", Quantity::time, value<&Summary::latency_p50_ns>, duration_text},
    {"latency_p90_ns", "latency p90", Quantity::time, single_stream_p90, duration_text},
    {"latency_p99_ns", "latency p99", Quantity::time, value<&Summary::latency_p99_ns>, duration_text},
    {kServerRate.data(), "queries/s", Quantity::rate, server_rate, rate_text},
    {"throughput_samples_per_second", "samples/s", Quantity::rate, value<&Summary::throughput_samples_per_second>,
     rate_text},
    {"top1", "top-1", Quantity::share, value<&Summary::top1>, share_text},
    {"peak_rss_bytes", "memory", Quantity::amount, value<&Summary::peak_rss_bytes>, bytes_text},
    {"model_bytes", "model", Quantity::amount, value<&Summary::model_bytes>, bytes_text},
    {"energy_joules", "energy", Quantity::amount, value<&Summary::energy_joules>, joules_text},
    {"energy_above_idle_joules", "energy above idle", Quantity::amount, value<&Summary::energy_above_idle_joules>,
     joules_text},
    {"energy_per_sample_joules", "energy a sample", Quantity::amount, value<&Summary::energy_per_sample_joules>,
     joules_text},
};

const char* measure_name(const JobRecord& job) {
  if (job.task == "train") return "throughput_samples_per_second";
  const std::string& metric = job.scenario.metric;
  if (metric == kServerRate) return job.rates.empty() ? "latency_p99_ns" : kServerRate.data();  // none were tried
  if (metric == "samples_per_second") return "throughput_samples_per_second";
  if (metric == "latency_p90_ns" || metric == "latency_p99_ns") return metric.c_str();
  return "latency_p50_ns";
}

}  // namespace

std::span<const Metric> compared_metrics() { return kMetrics; }

const Metric& metric_named(const char* name) {
  const auto found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                  [&](const Metric& metric) { return std::string_view(metric.name) == name; });
  if (found == std::end(kMetrics)) throw std::out_of_range(std::string("no metric is called ") + name);
  return *found;
}

const Metric& measure_of(const JobRecord& job) { return metric_named(measure_name(job)); }

bool comparable(const Metric& metric, const Metric& measure) {
  return measure.name != kServerRate || !std::string_view(metric.name).starts_with("latency_");
}

std::optional<Interval> sure_slowdown(const Metric& metric, const MetricComparison& comparison, bool is_measure) {
  std::optional<Interval> ratio = comparison.interval;
  if (!ratio && is_measure && comparison.ratio()) ratio = {*comparison.ratio(), *comparison.ratio()};
  if (!ratio) return std::nullopt;
  if (comparison.resampled != Resampled::processes)
    ratio = {ratio->low / kFewProcessesFactor, ratio->high * kFewProcessesFactor};
  return metric.quantity == Quantity::rate ? Interval{1 / ratio->high, 1 / ratio->low} : *ratio;
}

Verdict verdict_of(const Metric& metric, const MetricComparison& comparison, bool is_measure) {
  if (!comparison.a || !comparison.b) return Verdict::not_compared;
  if (metric.quantity == Quantity::time || metric.quantity == Quantity::rate) {
    const std::optional<Interval> slowdown = sure_slowdown(metric, comparison, is_measure);
    if (!slowdown || (slowdown->low <= 1 && slowdown->high >= 1)) return Verdict::cannot_tell;
    return slowdown->high < 1 ? Verdict::faster : Verdict::slower;
  }
  if (!comparison.interval) return Verdict::cannot_tell;
  const double same = comparison.is_share ? 0 : 1;
  const bool more = comparison.interval->low > same, less = comparison.interval->high < same;
  if (!more && !less) return Verdict::cannot_tell;
  return more == (metric.quantity == Quantity::share) ? Verdict::better : Verdict::worse;
}

}  // namespace edgelab::results
