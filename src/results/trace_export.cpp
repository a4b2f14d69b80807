#include "results/trace_export.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "results/schema/field.hpp"
#include "results/span_names.hpp"

namespace edgelab::results {
namespace {

using Json = nlohmann::ordered_json;

class Trace {
 public:
  explicit Trace(const RunRecord& run) {
    for (const JobRecord& job : run.jobs) {
      if (ran(job)) begin_ns_ = std::min(begin_ns_, job.started_wall_ns);
    }
    for (const JobRecord& job : run.jobs) {
      if (!ran(job)) continue;
      for (const RankRow& rank : job.ranks) add(job, rank);
    }
  }

  Json take() { return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events_)}}; }

 private:
  static bool ran(const JobRecord& job) { return job.started_wall_ns > 0 && job.ended_wall_ns >= job.started_wall_ns; }

  double microseconds(std::int64_t wall_ns) const { return static_cast<double>(wall_ns - begin_ns_) / 1e3; }

  void name(const char* what, int process, int thread, const std::string& text) {
    events_.push_back({{"name", what}, {"ph", "M"}, {"pid", process}, {"tid", thread}, {"args", {{"name", text}}}});
  }

  void slice(int process, int thread, const std::string& text, const char* category, std::int64_t start,
             std::int64_t end, Json arguments) {
    events_.push_back({{"name", text},
                       {"cat", category},
                       {"ph", "X"},
                       {"ts", microseconds(start)},
                       {"dur", static_cast<double>(end - start) / 1e3},
                       {"pid", process},
                       {"tid", thread},
                       {"args", std::move(arguments)}});
  }

  void add(const JobRecord& job, const RankRow& rank) {
    const auto [host, new_host] = hosts_.emplace(rank.host, static_cast<int>(hosts_.size()) + 1);
    const int process = host->second, thread = rank.world_rank + 1;  // 0 has a meaning of its own
    if (new_host) name("process_name", process, 0, rank.host.empty() ? "host" : rank.host);
    if (ranks_.insert({process, thread}).second)
      name("thread_name", process, thread, "rank " + std::to_string(rank.world_rank));
    slice(process, thread, job.id, "job", job.started_wall_ns, job.ended_wall_ns,
          {{"task", job.task}, {"status", name_of(job.status)}, {"rank in the job", rank.rank}, {"role", rank.role}});
    for (std::size_t i = 0; i < rank.span_kind.size(); ++i) {
      slice(process, thread, name_of_span(rank.span_kind[i]), "span", rank.spans_began_wall_ns + rank.span_start_ns[i],
            rank.spans_began_wall_ns + rank.span_end_ns[i], {{"micro-batch", rank.span_microbatch[i]}});
    }
  }

  std::int64_t begin_ns_ = std::numeric_limits<std::int64_t>::max();
  std::map<std::string, int> hosts_;
  std::set<std::pair<int, int>> ranks_;
  Json events_ = Json::array();
};

}  // namespace

nlohmann::ordered_json trace_events(const RunRecord& run) { return Trace(run).take(); }

}  // namespace edgelab::results
