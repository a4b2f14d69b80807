#include "results/verify.hpp"

#include <algorithm>
#include <set>

#include "results/hdf5/reading.hpp"

namespace edgelab::results {
namespace {

class Checker {
 public:
  explicit Checker(std::vector<std::string>& problems) : problems_(problems) {}

  void check(const RunRecord& run) {
    std::set<std::string> ids;
    for (const JobRecord& job : run.jobs) {
      where_ = "/jobs/" + job.id;
      expect(!job.id.empty(), "the id is empty");
      expect(ids.insert(job.id).second, "a second job of this id");
      check_job(job);
      expect(!(run.provenance.complete && job.status == Status::interrupted),
             "interrupted, though the run says that it is complete");
    }
    where_ = "/links";
    const auto cells = static_cast<std::size_t>(run.links.ranks) * static_cast<std::size_t>(run.links.ranks);
    expect(run.links.latency_ns.empty() || run.links.latency_ns.size() == cells, "latency_ns is not ranks × ranks");
    expect(run.links.bandwidth_bytes_per_second.empty() || run.links.bandwidth_bytes_per_second.size() == cells,
           "bandwidth_bytes_per_second is not ranks × ranks");
  }

 private:
  void check_job(const JobRecord& job) {
    const Summary& summary = job.summary;
    expect(job.attempts >= 0, "attempts is negative");
    expect(std::all_of(job.latency_ns.begin(), job.latency_ns.end(), [](std::int64_t time) { return time >= 0; }),
           "latency holds a negative time");
    expect(job.labels.empty() || job.predictions.empty() || job.labels.size() == job.predictions.size(),
           "predictions and labels differ in length");
    const std::size_t classes = static_cast<std::size_t>(std::max<std::int64_t>(1, job.classes));
    expect(job.logits.empty() || job.predictions.empty() || job.logits.size() / classes == job.predictions.size(),
           "logits and predictions differ in length");
    for (const RankRow& row : job.ranks) {
      const std::size_t spans = row.span_kind.size();
      expect(row.span_microbatch.size() == spans && row.span_start_ns.size() == spans && row.span_end_ns.size() == spans,
             "the arrays of a rank's spans differ in length");
    }
    expect_share(summary.top1, "top1");
    expect_share(summary.top5, "top5");
    expect(!(summary.top1 && summary.top5 && *summary.top5 < *summary.top1), "top5 is below top1");
    const bool ordered =
        !summary.latency_p50_ns || !summary.latency_p90_ns || !summary.latency_p99_ns ||
        (*summary.latency_p50_ns <= *summary.latency_p90_ns && *summary.latency_p90_ns <= *summary.latency_p99_ns);
    expect(ordered, "the latency percentiles don't ascend");
  }

  void expect(bool holds, const char* problem) {
    if (!holds) problems_.push_back(where_ + ": " + problem);
  }
  void expect_share(const std::optional<double>& share, const char* name) {
    if (share && !(*share >= 0 && *share <= 1))
      problems_.push_back(where_ + ": " + name + " is not a fraction from 0 to 1");
  }

  std::vector<std::string>& problems_;
  std::string where_;
};

}  // namespace

std::vector<std::string> problems_of(const std::filesystem::path& path) {
  hdf5::Reading reading = hdf5::read_in_child(path, hdf5::OnProblem::go_on);
  std::vector<std::string> problems = std::move(reading.problems);
  if (reading.failure.empty())
    Checker(problems).check(reading.run);
  else
    problems.push_back(reading.failure);
  return problems;
}

}  // namespace edgelab::results
