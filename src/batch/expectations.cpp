#include "batch/expectations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "batch/layer_speedup.hpp"

namespace edgelab::batch {
namespace {

using results::ExpectationRow;
using results::JobRecord;
using Kind = tasks::Expectation::Kind;

constexpr const char* kNotJudged = "not judged: the ranks compared share one host's cores";

ExpectationRow unmeasured(ExpectationRow row, const std::string& job, const char* what) {
  row.value = std::numeric_limits<double>::quiet_NaN();
  row.note = fmt::format("{} has no {}", job, what);
  return row;
}

template <class T> bool holds(const std::optional<T>& value) { return value.has_value() && std::isfinite(static_cast<double>(*value)); }

// Double sums: 50,000 × 1,000 logits in float would lose digits that rtol asks for.
double standard_deviation(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const float value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

// A NaN on one side makes the difference infinite: std::max would drop it.
double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

ExpectationRow outputs_match(ExpectationRow row, const JobRecord& job, const JobRecord& reference) {
  if (job.logits.empty()) return unmeasured(row, job.id, "logits");
  if (reference.logits.empty()) return unmeasured(row, reference.id, "logits");
  if (job.logits.size() != reference.logits.size()) {
    row.value = std::numeric_limits<double>::infinity();
    row.note = fmt::format("{} has {} logits, {} has {}", job.id, job.logits.size(), reference.id, reference.logits.size());
    return row;
  }
  const double deviation = standard_deviation(reference.logits);
  const double difference = largest_difference(job.logits, reference.logits);
  row.value = difference == 0 ? 0 : difference / deviation;
  row.met = difference <= row.bound * deviation;
  return row;
}

ExpectationRow ratio(ExpectationRow row, double faster, const JobRecord& job, const JobRecord& reference) {
  row.value = faster;
  row.met = faster >= row.bound;
  if (ranks_share_a_host(job) || ranks_share_a_host(reference)) {
    row.met = true;
    row.note = kNotJudged;
  }
  return row;
}

ExpectationRow speedup(ExpectationRow row, const JobRecord& job, const JobRecord& reference) {
  const auto &mine = job.summary.throughput_samples_per_second, &theirs = reference.summary.throughput_samples_per_second;
  if (!holds(mine)) return unmeasured(row, job.id, "throughput");
  if (!holds(theirs) || *theirs <= 0) return unmeasured(row, reference.id, "throughput");
  return ratio(row, *mine / *theirs, job, reference);
}

ExpectationRow latency_speedup(ExpectationRow row, const JobRecord& job, const JobRecord& reference) {
  const auto &mine = job.summary.latency_p50_ns, &theirs = reference.summary.latency_p50_ns;
  if (!holds(mine) || *mine <= 0) return unmeasured(row, job.id, "latency");
  if (!holds(theirs)) return unmeasured(row, reference.id, "latency");
  return ratio(row, static_cast<double>(*theirs) / static_cast<double>(*mine), job, reference);
}

ExpectationRow layer_speedup(ExpectationRow row, const JobRecord& job, const JobRecord& reference) {
  const auto least = least_layer_speedup(job.layers, reference.layers);
  if (!least) return unmeasured(row, job.layers.empty() ? job.id : reference.id, "times of layers");
  row = ratio(row, least->times, job, reference);
  if (!row.met) row.note = fmt::format("{:.3g} in {}", least->times, least->layers);
  return row;
}

ExpectationRow top1_drop(ExpectationRow row, const JobRecord& job, const JobRecord& reference) {
  if (!holds(job.summary.top1)) return unmeasured(row, job.id, "top1");
  if (!holds(reference.summary.top1)) return unmeasured(row, reference.id, "top1");
  row.value = 100.0 * (*reference.summary.top1 - *job.summary.top1);
  // 94.5 - 93.5 is 0.99999… or 1.00000…1 in binary; nine decimals of a point are beyond any count of images.
  row.met = row.value <= row.bound + 1e-9;
  return row;
}

template <class T> ExpectationRow at_most(ExpectationRow row, const JobRecord& job, const std::optional<T>& value, const char* name) {
  if (!holds(value)) return unmeasured(row, job.id, name);
  row.value = static_cast<double>(*value);
  row.met = row.value <= row.bound;
  return row;
}

bool compares(Kind kind) {
  return kind == Kind::outputs_match || kind == Kind::speedup_over || kind == Kind::latency_speedup_over || kind == Kind::layer_speedup_over ||
         kind == Kind::top1_drop_at_most;
}

std::string quantity(const ExpectationRow& row) {
  if (!row.note.empty()) return row.note;
  return fmt::format("{:.6g}", row.value);
}

}  // namespace

ExpectationRow judge(const tasks::Expectation& expectation, const JobRecord& job, const JobRecord* reference) {
  ExpectationRow row{expectation.text, 0, expectation.bound, false, ""};
  if (compares(expectation.kind) && reference == nullptr) {
    row.value = std::numeric_limits<double>::quiet_NaN();
    row.note = fmt::format("{} left no record", expectation.job);
    return row;
  }
  switch (expectation.kind) {
    case Kind::outputs_match: return outputs_match(row, job, *reference);
    case Kind::speedup_over: return speedup(row, job, *reference);
    case Kind::latency_speedup_over: return latency_speedup(row, job, *reference);
    case Kind::layer_speedup_over: return layer_speedup(row, job, *reference);
    case Kind::top1_drop_at_most: return top1_drop(row, job, *reference);
    case Kind::latency_p50_at_most: return at_most(row, job, job.summary.latency_p50_ns, "latency");
    case Kind::model_bytes_at_most: return at_most(row, job, job.summary.model_bytes, "model size");
    case Kind::top1_at_least:
      if (!holds(job.summary.top1)) return unmeasured(row, job.id, "top1");
      row.value = *job.summary.top1;
      row.met = row.value >= row.bound - 1e-12;
      return row;
  }
  return row;
}

std::string failures_of(const std::vector<ExpectationRow>& rows) {
  std::string text;
  for (const ExpectationRow& row : rows) {
    if (row.met) continue;
    if (!text.empty()) text += "; ";
    text += fmt::format("expected {}, got {}", row.text, quantity(row));
  }
  return text;
}

std::vector<std::string> jobs_whose_logits_matter(const std::vector<tasks::JobSpec>& jobs) {
  std::set<std::string> ids;
  for (const tasks::JobSpec& job : jobs) {
    for (const tasks::Expectation& expectation : job.expect) {
      if (expectation.kind != Kind::outputs_match) continue;
      ids.insert(job.id);
      ids.insert(expectation.job);
    }
  }
  return {ids.begin(), ids.end()};
}

bool ranks_share_a_host(const JobRecord& record) {
  std::set<std::string> hosts;
  return std::any_of(record.ranks.begin(), record.ranks.end(), [&](const results::RankRow& rank) { return !hosts.insert(rank.host).second; });
}

}  // namespace edgelab::batch
