#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "results/compare/comparison.hpp"
#include "results/text/table.hpp"

// What was accepted before, to hold new runs against: a text file that can be kept in git or in a CI's cache, with one JSON
// line a process: {"accepted_wall_ns": N, "name": "…", "frame": {…}, "jobs": […]}, the records as the journal has them but
// without layers, logits, pictures and what else no comparison reads. Lines with the same time are one side.
namespace edgelab::results {

struct AcceptedSide {
  std::int64_t accepted_wall_ns = 0;
  Side side;
};

// Oldest first; empty if there is no such file. Throws Error (data) with the line that can't be read.
std::vector<AcceptedSide> read_baseline(const std::filesystem::path& path);

// Adds the side, accepted at this time. The file is at any moment the old one or the whole new one.
void accept_into_baseline(const std::filesystem::path& path, const Side& side, std::int64_t accepted_wall_ns);

// Those that ran on the same machines (CPU models and cores) as `side`: times of others mean nothing for it.
std::vector<AcceptedSide> of_same_machines(const std::vector<AcceptedSide>& accepted, const Side& side);

// What each job of `now` is judged by (measure_of) through everything accepted: a slow slide shows here that no single
// comparison tells. Empty where nothing was accepted. As JSON: {"latency_p50_ns": {"<id>": [12, …]}, …, "accepted_wall_ns": […]}.
std::string trend_text(const std::vector<AcceptedSide>& accepted, const Side& now, const Look& look);
nlohmann::ordered_json trend_json(const std::vector<AcceptedSide>& accepted, const Side& now);

}  // namespace edgelab::results
