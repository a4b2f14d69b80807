#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parallel/link_speed.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/split/prediction.hpp"

namespace edgelab::tasks {

// What a job will cost, found without running it: the model is built and planned with its real weights, and two calls on
// random numbers are timed on this machine.
struct Forecast {
  std::int64_t samples = 0, calls = 0;   // calls of all passes, warm-up included, on the rank with the most
  std::int64_t parameters = 0, flop_per_sample = 0;
  std::int64_t weight_bytes = 0;         // of the model's weights in memory
  std::int64_t arena_bytes = 0;          // of activations and scratch
  std::int64_t wire_bytes = 0;           // sent between ranks over the whole job
  std::int64_t latency_ns = 0;           // of one call
  std::int64_t total_ns = 0;             // of all calls, loading apart
  std::string layout;                    // what runs where, and why, in a sentence
  std::vector<Prediction> layouts;       // of a model that is split over ranks: its ways and all others
  std::size_t chosen = 0;                // the one that it will run with
};

// What a cable and a switch of 1 Gbit/s make of small and large messages.
inline constexpr parallel::Link kGigabit{100'000.0, 8.0};

// Throws Error for a job that can't be run. `link`: between the ranks of a job that splits its model; all hosts are taken to be as fast
// as this one.
Forecast forecast(const JobSpec& spec, int threads, const parallel::Link& link = kGigabit);

}  // namespace edgelab::tasks
