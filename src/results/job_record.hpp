#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edgelab::results {

// Everything one job leaves behind: what tasks measure, the journal keeps, and the results file shows.
// Times are nanoseconds, sizes bytes. An empty optional is a thing that could not be known; it is never guessed.

enum class Status { done, failed, skipped, interrupted };

struct ModelRecord {
  std::string arch;
  std::int64_t parameters = 0;
  std::int64_t nonzero_parameters = 0;
  std::int64_t bytes_on_disk = 0;     // of the weights file; what it would be for random weights
  std::int64_t flop_per_sample = 0;   // a multiply-add counts two
  std::string weights;                // path and SHA-256, or "random, seed N"
  bool operator==(const ModelRecord&) const = default;
};

struct LayerRow {
  std::string name, op, requested_dtype, effective_dtype, implementation;
  std::string refused;        // "onednn: why not; …" for every faster implementation that said no
  std::int64_t time_ns = 0;   // median of the timed calls of a profiled pass
  std::int64_t bytes = 0;     // read and written, weights included
  double sparsity = 0.0;      // share of weights that are zero
  std::int64_t flop = 0;
  bool operator==(const LayerRow&) const = default;
};

struct Summary {
  std::optional<std::int64_t> samples;  // distinct ones, not times repeats
  std::optional<double> top1, top5;     // fractions; absent without labels
  std::optional<double> loss;
  std::optional<double> latency_mean_ns;
  std::optional<std::int64_t> latency_p50_ns, latency_p90_ns, latency_p99_ns;
  std::optional<double> throughput_samples_per_second;
  std::optional<std::int64_t> time_to_first_inference_ns;
  std::optional<std::int64_t> peak_rss_bytes;
  std::optional<std::int64_t> model_bytes;
  std::optional<double> energy_joules;
  bool operator==(const Summary&) const = default;
};

struct RankRow {
  int rank = 0;  // in the job
  int world_rank = 0;
  std::string host;
  std::string role;  // "shard 1 of 4: samples 128 to 255", "stage 0: layers 0 to 12"
  int threads = 1;
  std::int64_t load_ns = 0, preprocess_ns = 0;  // weights and plan; images to tensors
  std::int64_t compute_ns = 0, send_ns = 0, receive_ns = 0, wait_ns = 0;
  std::int64_t bytes_sent = 0, bytes_received = 0;
  std::int64_t peak_rss_bytes = 0;
  bool operator==(const RankRow&) const = default;
};

struct TelemetryRow {
  std::int64_t time_ns = 0;  // since the job began
  int rank = 0;
  double frequency_hz = 0, temperature_celsius = 0, power_watt = 0;  // NaN where the board doesn't tell
  std::int64_t throttle_bits = 0, resident_bytes = 0;
  bool operator==(const TelemetryRow&) const = default;
};

struct TrainingRow {
  int epoch = 0;
  double loss = 0, top1 = 0, learning_rate = 0, samples_per_second = 0;
  bool operator==(const TrainingRow&) const = default;
};

// What one layer alone costs when this share of it is left out.
struct SensitivityRow {
  std::string layer;
  double sparsity = 0, top1 = 0, loss = 0;
  bool operator==(const SensitivityRow&) const = default;
};

struct ExpectationRow {
  std::string text;
  double value = 0, bound = 0;
  bool met = false;
  std::string note;  // "not judged: the ranks compared share one host's cores", or empty
  bool operator==(const ExpectationRow&) const = default;
};

struct JobRecord {
  std::string id, task;
  Status status = Status::done;
  int attempts = 1;
  std::string reason;       // why it failed or was skipped
  std::string config;       // the resolved job, as text
  std::string content_key;  // hash of resolved config, input files and binary version: equal keys, equal job
  std::int64_t started_wall_ns = 0, ended_wall_ns = 0;

  ModelRecord model;
  std::vector<LayerRow> layers;
  Summary summary;
  std::int64_t repeats = 0, calls = 0;    // shape of `latency`
  std::int64_t batch = 1;
  std::vector<std::int64_t> latency_ns;   // [repeat, call]
  std::vector<std::int32_t> predictions;  // [sample], data-set order, last repeat
  std::vector<std::int32_t> labels;       // [sample]; empty without labels
  std::int64_t classes = 0;
  std::vector<float> logits;              // [sample, class]; may be there for `outputs_match` though not to be kept
  bool keep_logits = false;
  std::vector<RankRow> ranks;
  std::vector<TelemetryRow> telemetry;
  std::vector<TrainingRow> training;
  std::vector<SensitivityRow> sensitivity;
  std::vector<ExpectationRow> expectations;
  bool operator==(const JobRecord&) const = default;
};

// The file's other groups.
struct HostRecord {
  std::string name, cpu_model, features, kernel, operating_system, governor;
  int cores = 0, ranks = 0;
  std::int64_t memory_bytes = 0;
  std::string network_interface;
  std::optional<double> temperature_celsius;
  std::optional<std::int64_t> throttle_bits;
  std::optional<std::int64_t> network_bits_per_second;
  bool operator==(const HostRecord&) const = default;
};

struct Provenance {
  std::string edgelab_version, git_commit, build_flags, command_line, job_file, resolved;
  bool git_dirty = false;
  std::vector<std::pair<std::string, std::string>> library_versions;
  std::int64_t start_wall_ns = 0, end_wall_ns = 0;
  int hosts_expected = 1, hosts_seen = 1, ranks = 1;
  bool complete = false;
  bool operator==(const Provenance&) const = default;
};

struct LinkTable {  // rank × rank, row-major; empty when not measured
  int ranks = 0;
  std::vector<double> latency_ns, bandwidth_bytes_per_second;
  bool operator==(const LinkTable&) const = default;
};

struct RunRecord {
  Provenance provenance;
  std::vector<HostRecord> hosts;
  LinkTable links;
  std::vector<JobRecord> jobs;  // in the order of the job file
  bool operator==(const RunRecord&) const = default;
};

}  // namespace edgelab::results
