#include "results/compare/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "results/compare/doubts.hpp"
#include "results/compare/metrics.hpp"

namespace edgelab::results {
namespace {

using Jobs = std::vector<const JobRecord*>;  // one job, from each run that has it

const JobRecord* find_job(const RunRecord& run, const std::string& id) {
  const auto found = std::find_if(run.jobs.begin(), run.jobs.end(), [&](const JobRecord& job) { return job.id == id; });
  return found == run.jobs.end() ? nullptr : &*found;
}

Jobs jobs_of(const Side& side, const std::string& id) {
  Jobs jobs;
  for (const RunRecord& run : side.runs) {
    if (const JobRecord* job = find_job(run, id)) jobs.push_back(job);
  }
  return jobs;
}

Status status_of(const Jobs& jobs) {
  const auto other =
      std::find_if(jobs.begin(), jobs.end(), [](const JobRecord* job) { return job->status != Status::done; });
  return other == jobs.end() ? Status::done : (*other)->status;
}

Jobs done_of(const Jobs& jobs) {
  Jobs done;
  std::copy_if(jobs.begin(), jobs.end(), std::back_inserter(done),
               [](const JobRecord* job) { return job->status == Status::done; });
  return done;
}

std::vector<double> values_of(const Jobs& jobs, const Metric& metric) {
  std::vector<double> values;
  for (const JobRecord* job : jobs) {
    if (const auto value = metric.value(*job)) values.push_back(*value);
  }
  return values;
}

std::vector<std::int64_t> calls_of(const Jobs& jobs) {
  std::vector<std::int64_t> calls;
  for (const JobRecord* job : jobs) calls.insert(calls.end(), job->latency_ns.begin(), job->latency_ns.end());
  return calls;
}

// Accuracy differs by samples, not by processes: the same model says the same to the same image.
std::optional<Interval> share_interval(const JobRecord& a, const JobRecord& b) {
  const bool paired = !a.labels.empty() && a.labels == b.labels && a.predictions.size() == a.labels.size() &&
                      b.predictions.size() == b.labels.size();
  if (!paired) return std::nullopt;
  std::int64_t gained = 0, lost = 0;
  for (std::size_t i = 0; i < a.labels.size(); ++i) {
    const bool in_a = a.predictions[i] == a.labels[i], in_b = b.predictions[i] == b.labels[i];
    gained += in_b && !in_a;
    lost += in_a && !in_b;
  }
  return paired_share_interval(gained, lost, static_cast<std::int64_t>(a.labels.size()));
}

void add_interval(MetricComparison& comparison, const Metric& metric, const Jobs& a, const Jobs& b) {
  const auto set = [&](std::optional<Interval> interval, Resampled resampled) {
    comparison.interval = interval;
    if (interval) comparison.resampled = resampled;
  };
  if (metric.quantity == Quantity::share) return set(share_interval(*a.front(), *b.front()), Resampled::samples);
  const std::vector<double> values_a = values_of(a, metric), values_b = values_of(b, metric);
  if (std::min(values_a.size(), values_b.size()) >= kFewestValues)
    return set(process_ratio_interval(values_a, values_b), Resampled::processes);
  if (std::string_view(metric.name) == "latency_p50_ns")
    set(median_ratio_interval(calls_of(a), calls_of(b)), Resampled::calls);
}

MetricComparison compare_metric(const Metric& metric, const Metric& measure, const Jobs& a, const Jobs& b) {
  MetricComparison comparison{metric.name, {}, {}, metric.quantity == Quantity::share, {}, Resampled::nothing, Verdict::not_compared};
  const std::vector<double> values_a = values_of(a, metric), values_b = values_of(b, metric);
  if (!values_a.empty()) comparison.a = median_of(values_a);
  if (!values_b.empty()) comparison.b = median_of(values_b);
  if (!comparable(metric, measure)) return comparison;
  if (comparison.a && comparison.b) add_interval(comparison, metric, a, b);
  comparison.verdict = verdict_of(metric, comparison, &metric == &measure);
  return comparison;
}

JobComparison compare_jobs(const std::string& id, const Side& side_a, const Side& side_b) {
  const Jobs all_a = jobs_of(side_a, id), all_b = jobs_of(side_b, id);
  const Jobs a = done_of(all_a), b = done_of(all_b);
  JobComparison job;
  job.id = id;
  job.in_a = !all_a.empty();
  job.in_b = !all_b.empty();
  job.status_a = status_of(all_a);
  job.status_b = status_of(all_b);
  job.processes_a = a.size();
  job.processes_b = b.size();
  for (const Jobs* side : {&all_a, &all_b}) {
    for (const JobRecord* other : *side)
      job.same_config = job.same_config && other->config == (all_a.empty() ? all_b : all_a).front()->config;
  }
  if (a.empty() || b.empty()) return job;
  const Metric& measure = measure_of(*a.front());
  job.measure = measure.name;
  for (const Metric& metric : compared_metrics()) {
    MetricComparison compared = compare_metric(metric, measure, a, b);
    if (compared.a || compared.b) job.metrics.push_back(compared);
  }
  if (const MetricComparison* judged = job.find(job.measure)) job.verdict = judged->verdict;
  job.doubts = doubts_of(a, b);
  return job;
}

}  // namespace

const char* text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster: return "faster";
    case Verdict::slower: return "slower";
    case Verdict::better: return "better";
    case Verdict::worse: return "worse";
    case Verdict::cannot_tell: return "can't tell";
    case Verdict::not_compared: return "not compared";
  }
  return "";
}

const char* text_of(Resampled resampled) {
  switch (resampled) {
    case Resampled::nothing: return "nothing";
    case Resampled::calls: return "calls";
    case Resampled::processes: return "processes";
    case Resampled::samples: return "samples";
  }
  return "";
}

const MetricComparison* JobComparison::find(const char* name) const {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const MetricComparison& metric) {
    return std::string_view(metric.name) == name;
  });
  return found == metrics.end() ? nullptr : &*found;
}

std::set<std::string> machines_of(const Side& side) {
  std::set<std::string> machines;
  for (const RunRecord& run : side.runs) {
    for (const HostRecord& host : run.hosts) machines.insert(fmt::format("{}, {} cores", host.cpu_model, host.cores));
  }
  return machines;
}

Comparison compare_sides(const Side& a, const Side& b) {
  Comparison comparison{a.name, b.name, cautions_of(a, b), {}};
  std::set<std::string> seen;
  for (const Side* side : {&a, &b}) {
    for (const RunRecord& run : side->runs) {
      for (const JobRecord& job : run.jobs) {
        if (seen.insert(job.id).second) comparison.jobs.push_back(compare_jobs(job.id, a, b));
      }
    }
  }
  return comparison;
}

bool any_slower(const Comparison& comparison, double percent) {
  return std::any_of(comparison.jobs.begin(), comparison.jobs.end(), [&](const JobComparison& job) {
    const bool lost = job.in_a && job.status_a == Status::done && !(job.in_b && job.status_b == Status::done);
    if (lost || job.verdict != Verdict::slower) return lost;
    return sure_slowdown(metric_named(job.measure), *job.find(job.measure), true)->low > 1 + percent / 100;
  });
}

bool any_worse(const Comparison& comparison, double points) {
  return std::any_of(comparison.jobs.begin(), comparison.jobs.end(), [&](const JobComparison& job) {
    const MetricComparison* top1 = job.find("top1");
    return top1 != nullptr && top1->verdict == Verdict::worse && top1->interval->high < -points / 100;
  });
}

}  // namespace edgelab::results
