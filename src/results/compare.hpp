#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

#include "results/job_record.hpp"
#include "results/statistics.hpp"
#include "results/text/table.hpp"

namespace edgelab::results {

enum class Verdict { faster, slower, cannot_tell, not_compared };
const char* text_of(Verdict verdict);

struct MetricPair {
  std::optional<double> a, b;
  std::optional<double> ratio() const { return a && b && *a != 0 ? std::optional(*b / *a) : std::nullopt; }
};

struct JobComparison {
  std::string id;
  bool in_a = false, in_b = false;
  Status status_a = Status::done, status_b = Status::done;
  bool same_config = true;
  MetricPair p50_ns, throughput, top1, model_bytes;
  std::optional<Interval>
      p50_ratio;  // 95 %, of B over A; from the calls within the two runs, so drift between runs is not in it
  Verdict verdict = Verdict::not_compared;
};

// Jobs of A in their order, then those that only B has.
std::vector<JobComparison> compare_runs(const RunRecord& a, const RunRecord& b);

// True if a job got slower by more than `percent` beyond doubt (the whole interval above 1), or was done in A and not in B.
bool any_slower(const std::vector<JobComparison>& jobs, double percent);

std::string comparison_text(const std::vector<JobComparison>& jobs, const std::string& name_a,
                            const std::string& name_b, const Look& look);
nlohmann::ordered_json comparison_json(const std::vector<JobComparison>& jobs);

}  // namespace edgelab::results
