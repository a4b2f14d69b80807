#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/random.hpp"

// How queries come to a model and when they are answered, as MLPerf Inference's LoadGen has it (Reddi et al., MLPerf Inference
// Benchmark, ISCA 2020). Nothing here knows the time but through a Timer, so that tests run on a made-up one.
namespace edgelab::tasks {

struct Timer {
  std::function<std::int64_t()> now;                     // nanoseconds
  std::function<void(std::int64_t time_ns)> wait_until;  // returns then, or as soon after it as can be
};

// What is asked: one call of a model, for 1 to `batch` samples by their numbers, 0 to `samples` - 1.
struct Subject {
  int batch = 1;
  std::int64_t samples = 1;
  std::function<void(std::span<const std::int64_t> samples)> call;
};

// Which samples queries ask for: drawn anew each, so that no order of them is learnt. The same for the same seed.
class SampleDraw {
 public:
  SampleDraw(std::uint64_t seed, std::int64_t samples)
      : random_(stream_key(seed, "samples of queries")), samples_(samples) {}
  void fill(std::span<std::int64_t> drawn) {
    for (std::int64_t& each : drawn)
      each = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(samples_)));
  }

 private:
  CounterRandom random_;
  std::int64_t samples_;
};

struct QueryLog {
  std::vector<std::int64_t> latency_ns;  // arrival to answer, of each query in the order of arrival
  std::vector<std::int64_t> call_ns;     // of each call of the model
  std::int64_t duration_ns = 0;          // first arrival to last answer
  std::int64_t samples = 0;
};

// When there is enough: at least so many queries and so long, unless it takes too long.
struct Extent {
  std::int64_t min_queries = 1, min_duration_ns = 0, max_duration_ns = 0;
  bool reached(std::int64_t queries, std::int64_t duration_ns) const {
    return (queries >= min_queries && duration_ns >= min_duration_ns) || duration_ns >= max_duration_ns;
  }
};

// Told after each query, with how many were answered and how long it has taken. It may throw, to end it all.
using Told = std::function<void(std::int64_t queries, std::int64_t duration_ns)>;

// Single-stream and multi-stream: a query of so many samples arrives when the one before is answered.
QueryLog ask_one_by_one(const Subject& subject, int samples_per_query, const Extent& extent, SampleDraw draw,
                        const Timer& timer, const Told& told);

// Offline: all samples are there from the start, and answered in calls of the whole batch. The extent counts samples; there is
// one query, but no latency of it, since when it ends is what the extent says.
QueryLog ask_at_once(const Subject& subject, const Extent& extent, SampleDraw draw, const Timer& timer,
                     const Told& told);

// Arrivals of a Poisson process, nanoseconds since its start, ascending. The same for the same seed on every machine.
std::vector<std::int64_t> poisson_arrivals(double queries_per_second, std::int64_t count, std::uint64_t seed);

// When a server need not go on: it takes too long, or more than `most_late` queries took longer than `bound_ns`.
struct GivingUp {
  std::int64_t max_duration_ns = INT64_MAX;
  std::int64_t bound_ns = INT64_MAX, most_late = 0;
};

// Server: queries of one sample arrive when they arrive and wait for their turn, first come first served; a call takes all that
// wait, up to the batch. Latency counts from the arrival, so a timer that is late is not hidden. Ends early when `giving_up` says.
QueryLog ask_on_arrival(const Subject& subject, std::span<const std::int64_t> arrivals_ns, const GivingUp& giving_up,
                        SampleDraw draw, const Timer& timer, const Told& told);

}  // namespace edgelab::tasks
