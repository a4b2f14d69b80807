#include "results/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "results/schema/field.hpp"
#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

const JobRecord* find_job(const RunRecord& run, const std::string& id) {
  const auto found = std::find_if(run.jobs.begin(), run.jobs.end(), [&](const JobRecord& job) { return job.id == id; });
  return found == run.jobs.end() ? nullptr : &*found;
}

template <class Number>
std::optional<double> as_real(const std::optional<Number>& number) {
  return number ? std::optional<double>(static_cast<double>(*number)) : std::nullopt;
}

Verdict verdict_of(const JobComparison& job) {
  if (!job.p50_ns.a || !job.p50_ns.b) return Verdict::not_compared;
  if (!job.p50_ratio) return Verdict::cannot_tell;
  if (job.p50_ratio->high < 1) return Verdict::faster;
  if (job.p50_ratio->low > 1) return Verdict::slower;
  return Verdict::cannot_tell;
}

JobComparison compare_jobs(const std::string& id, const JobRecord* a, const JobRecord* b) {
  JobComparison job;
  job.id = id;
  job.in_a = a != nullptr;
  job.in_b = b != nullptr;
  if (a != nullptr) job.status_a = a->status;
  if (b != nullptr) job.status_b = b->status;
  if (a == nullptr || b == nullptr) return job;
  job.same_config = a->config == b->config;
  job.p50_ns = {as_real(a->summary.latency_p50_ns), as_real(b->summary.latency_p50_ns)};
  job.throughput = {as_real(a->summary.throughput_samples_per_second),
                    as_real(b->summary.throughput_samples_per_second)};
  job.top1 = {as_real(a->summary.top1), as_real(b->summary.top1)};
  job.model_bytes = {as_real(a->summary.model_bytes), as_real(b->summary.model_bytes)};
  job.p50_ratio = median_ratio_interval(a->latency_ns, b->latency_ns);
  job.verdict = verdict_of(job);
  return job;
}

template <class Text>
void add_metric(TextTable& table, const std::string& label, const MetricPair& pair, Text text, std::string interval,
                std::string word, Ink ink) {
  if (!pair.a && !pair.b) return;
  table.add({{label},
             {pair.a ? text(*pair.a) : "–"},
             {pair.b ? text(*pair.b) : "–"},
             {pair.ratio() ? fmt::format("{:.3f}", *pair.ratio()) : ""},
             {std::move(interval)},
             {std::move(word), ink}});
}

nlohmann::ordered_json json_of(const MetricPair& pair) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (pair.a) json["a"] = *pair.a;
  if (pair.b) json["b"] = *pair.b;
  if (pair.ratio()) json["ratio"] = *pair.ratio();
  return json;
}

}  // namespace

const char* text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster: return "faster";
    case Verdict::slower: return "slower";
    case Verdict::cannot_tell: return "can't tell";
    case Verdict::not_compared: return "not compared";
  }
  return "";
}

std::vector<JobComparison> compare_runs(const RunRecord& a, const RunRecord& b) {
  std::vector<JobComparison> jobs;
  for (const JobRecord& job : a.jobs) jobs.push_back(compare_jobs(job.id, &job, find_job(b, job.id)));
  for (const JobRecord& job : b.jobs) {
    if (find_job(a, job.id) == nullptr) jobs.push_back(compare_jobs(job.id, nullptr, &job));
  }
  return jobs;
}

bool any_slower(const std::vector<JobComparison>& jobs, double percent) {
  return std::any_of(jobs.begin(), jobs.end(), [&](const JobComparison& job) {
    const bool lost = job.in_a && job.status_a == Status::done && !(job.in_b && job.status_b == Status::done);
    const auto ratio = job.p50_ns.ratio();
    return lost || (job.verdict == Verdict::slower && ratio && *ratio > 1 + percent / 100);
  });
}

std::string comparison_text(const std::vector<JobComparison>& jobs, const std::string& name_a,
                            const std::string& name_b, const Look& look) {
  std::string text = "A = " + safe_for_terminal(name_a) + "\nB = " + safe_for_terminal(name_b) + "\n\n";
  TextTable table({{"job", false}, {"A"}, {"B"}, {"B/A"}, {"95 %"}, {"", false}});
  std::string notes;
  for (const JobComparison& job : jobs) {
    const std::string id = safe_for_terminal(job.id);
    if (!job.in_a || !job.in_b) {
      notes += painted(id + ": only in " + (job.in_a ? "A" : "B"), Ink::warning, look) + "\n";
      continue;
    }
    if (job.status_a != Status::done || job.status_b != Status::done) {
      notes += painted(id + ": " + std::string(name_of(job.status_a)) + " in A, " + std::string(name_of(job.status_b)) +
                           " in B",
                       Ink::warning, look) +
               "\n";
    }
    if (!job.same_config) notes += painted(id + ": the two jobs' settings differ", Ink::warning, look) + "\n";
    table.add({{id, Ink::bold}, {""}, {""}, {""}, {""}, {""}});
    const Ink ink = job.verdict == Verdict::faster ? Ink::good : job.verdict == Verdict::slower ? Ink::bad : Ink::plain;
    const std::string interval =
        job.p50_ratio ? fmt::format("{:.3f} to {:.3f}", job.p50_ratio->low, job.p50_ratio->high) : "";
    add_metric(table, "  latency p50", job.p50_ns, duration_text, interval, text_of(job.verdict), ink);
    add_metric(table, "  samples/s", job.throughput, rate_text, "", "", Ink::plain);
    add_metric(table, "  top-1", job.top1, share_text, "", "", Ink::plain);
    add_metric(table, "  model", job.model_bytes, bytes_text, "", "", Ink::plain);
  }
  return text + table.text(look) + (notes.empty() ? "" : "\n" + notes) +
         painted("\nThe interval covers the spread of calls within the two runs, not drift between them.\n", Ink::faint,
                 look);
}

nlohmann::ordered_json comparison_json(const std::vector<JobComparison>& jobs) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const JobComparison& job : jobs) {
    nlohmann::ordered_json json = {{"in_a", job.in_a}, {"in_b", job.in_b}};
    if (job.in_a) json["status_a"] = name_of(job.status_a);
    if (job.in_b) json["status_b"] = name_of(job.status_b);
    if (job.in_a && job.in_b) {
      json["same_config"] = job.same_config;
      json["latency_p50_ns"] = json_of(job.p50_ns);
      if (job.p50_ratio) json["latency_p50_ns"]["ratio_95"] = {job.p50_ratio->low, job.p50_ratio->high};
      json["throughput_samples_per_second"] = json_of(job.throughput);
      json["top1"] = json_of(job.top1);
      json["model_bytes"] = json_of(job.model_bytes);
    }
    json["verdict"] = text_of(job.verdict);
    all[job.id] = std::move(json);
  }
  return {{"jobs", std::move(all)}};
}

}  // namespace edgelab::results
