#include "results/compare/metrics.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

template <auto kMember>
std::optional<double> value(const Summary& summary) {
  const auto& held = summary.*kMember;
  return held ? std::optional<double>(static_cast<double>(*held)) : std::nullopt;
}

constexpr Metric kMetrics[] = {
    {"latency_p50_ns", "latency p50", Quantity::time, value<&Summary::latency_p50_ns>, duration_text},
    {"latency_p99_ns", "latency p99", Quantity::time, value<&Summary::latency_p99_ns>, duration_text},
    {"throughput_samples_per_second", "samples/s", Quantity::rate, value<&Summary::throughput_samples_per_second>,
     rate_text},
    {"top1", "top-1", Quantity::share, value<&Summary::top1>, share_text},
    {"peak_rss_bytes", "memory", Quantity::amount, value<&Summary::peak_rss_bytes>, bytes_text},
    {"model_bytes", "model", Quantity::amount, value<&Summary::model_bytes>, bytes_text},
    {"energy_joules", "energy", Quantity::amount, value<&Summary::energy_joules>, joules_text},
    {"energy_per_sample_joules", "energy a sample", Quantity::amount, value<&Summary::energy_per_sample_joules>,
     joules_text},
};

}  // namespace

std::span<const Metric> compared_metrics() { return kMetrics; }

const Metric& metric_named(const char* name) {
  const auto found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                  [&](const Metric& metric) { return std::string_view(metric.name) == name; });
  if (found == std::end(kMetrics)) throw std::out_of_range(std::string("no metric is called ") + name);
  return *found;
}

Verdict verdict_of(const Metric& metric, const MetricComparison& comparison) {
  if (!comparison.a || !comparison.b) return Verdict::not_compared;
  if (!comparison.interval) return Verdict::cannot_tell;
  const double same = comparison.is_share ? 0 : 1;
  const bool more = comparison.interval->low > same, less = comparison.interval->high < same;
  if (!more && !less) return Verdict::cannot_tell;
  switch (metric.quantity) {
    case Quantity::time: return less ? Verdict::faster : Verdict::slower;
    case Quantity::rate: return more ? Verdict::faster : Verdict::slower;
    case Quantity::share: return more ? Verdict::better : Verdict::worse;
    case Quantity::amount: return less ? Verdict::better : Verdict::worse;
  }
  return Verdict::cannot_tell;
}

}  // namespace edgelab::results
