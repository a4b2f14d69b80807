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
  double limit_flop_per_second = 0.0;  // what its threads can do at most in its type; 0: not known
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
  std::optional<double> energy_joules, energy_above_idle_joules, energy_per_sample_joules;
  std::optional<std::string> throttling;  // what slowed hosts down while they were measured
  std::optional<std::string> validity, invalid_reason;  // of a scenario: VALID or INVALID
  bool operator==(const Summary&) const = default;
};

struct RankRow {
  int rank = 0;  // in the job
  int world_rank = 0;
  std::string host;
  std::string role;  // "shard 1 of 4: samples 128 to 255", "stage 0: layers 0 to 12"
  int threads = 1;
  std::string device = {};       // "cpu", "cuda 0: NVIDIA H100 80GB HBM3 (compute capability 9.0), also of rank 1 on this host"
  std::string device_note = {};  // why not on what the job would rather have
  std::int64_t load_ns = 0, preprocess_ns = 0;  // weights and plan; images to tensors
  std::int64_t compute_ns = 0, send_ns = 0, receive_ns = 0, wait_ns = 0;
  std::int64_t bytes_sent = 0, bytes_received = 0;
  std::int64_t peak_rss_bytes = 0;
  double memory_bytes_per_second = 0.0;  // that its threads read from main memory; 0: not measured
  // What it did when, one span after another: of a model that is split over ranks, the first micro-batches of the last pass.
  std::vector<std::int32_t> span_kind = {};  // SpanKind
  std::vector<std::int64_t> span_microbatch = {}, span_start_ns = {}, span_end_ns = {};  // since spans_began_wall_ns
  std::int64_t spans_began_wall_ns = 0;  // by rank 0's clock, as they all are; the same on all ranks
  bool operator==(const RankRow&) const = default;
};

enum class SpanKind : std::int32_t { compute, send, receive, wait };

// What was predicted before a split model ran, and what was measured.
struct ForecastRecord {
  std::string layout;  // "pipeline of 4"; empty: nothing was predicted
  double predicted_latency_ns = 0, measured_latency_ns = 0;  // of a call, mean
  double predicted_samples_per_second = 0, measured_samples_per_second = 0;
  double predicted_bytes = 0, measured_bytes = 0;  // sent a micro-batch, by all ranks together
  bool operator==(const ForecastRecord&) const = default;
};

struct TelemetryRow {
  std::int64_t time_ns = 0;  // since the job began
  int rank = 0;
  double frequency_hz = 0, temperature_celsius = 0, power_watt = 0;  // NaN where the board doesn't tell
  std::int64_t throttle_bits = 0, resident_bytes = 0;
  bool operator==(const TelemetryRow&) const = default;
};

// What one host used while the job was measured.
struct EnergyRow {
  int rank = 0;  // that sampled it, in the job
  std::string host, source;  // source: "rapl package-0, dram"; "" where nothing can tell
  double energy_joules = 0, idle_watt = 0;  // NaN where the host doesn't tell
  std::int64_t window_ns = 0;               // that was measured
  std::int64_t readings = 0, reading_ns = 0, interval_ns = 0;
  bool operator==(const EnergyRow&) const = default;
};

struct TrainingRow {
  int epoch = 0;
  double loss = 0, top1 = 0, learning_rate = 0, samples_per_second = 0;
  bool operator==(const TrainingRow&) const = default;
};

// A try of a search. What failed has no numbers.
struct TrialRow {
  std::int64_t number = 0;
  std::string settings;
  double top1 = 0.0, loss = 0.0;
  std::int64_t bytes = 0, duration_ns = 0;
  bool taken = false;  // the best, by what the search was for: the job went on with it
  bool operator==(const TrialRow&) const = default;
};

// What one layer alone costs when this share of it is left out; of a job that quantizes, when it alone is in integers.
struct SensitivityRow {
  std::string layer;
  double sparsity = 0, top1 = 0, loss = 0;
  bool operator==(const SensitivityRow&) const = default;
};

// What a job with a scenario was about, and what came out. Latencies are of queries.
struct ScenarioRecord {
  std::string kind;    // "server"; "" without a scenario
  std::string metric;  // what `value` is: "latency_p90_ns", "latency_p99_ns", "queries_per_second", "samples_per_second"
  double value = 0;
  std::int64_t queries = 0, samples_per_query = 1;
  std::int64_t duration_ns = 0;
  std::optional<double> percentile;  // that the scenario is about, 0 to 100
  std::optional<std::int64_t> percentile_at_most_ns;
  std::optional<std::int64_t> latency_bound_ns;
  bool operator==(const ScenarioRecord&) const = default;
};

// A rate of arrivals that was tried in search of the highest.
struct RateRow {
  double queries_per_second = 0;
  std::int64_t queries = 0, latency_p99_ns = 0;
  bool met = false;
  bool operator==(const RateRow&) const = default;
};

struct ClassRow {
  std::string name;
  bool operator==(const ClassRow&) const = default;
};

// A sample that the model was wrong about, and sure. The picture is what the data set holds, made smaller where it is large.
struct MistakeRecord {
  std::int64_t sample = 0;  // position in `predictions`
  std::int64_t file_index = 0;
  int label = 0, prediction = 0;
  double probability = 0, label_probability = 0;  // softmax of the logits, 0 to 1
  int height = 0, width = 0, channels = 0;        // shape of `picture`
  std::vector<std::uint8_t> picture;              // [height, width, channel], red first
  bool operator==(const MistakeRecord&) const = default;
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
  std::vector<ClassRow> class_names;       // [class]; empty where the data set names none
  std::vector<MistakeRecord> mistakes;     // the surest first
  ForecastRecord forecast;
  std::vector<RankRow> ranks;
  ScenarioRecord scenario;
  std::vector<RateRow> rates;
  std::vector<TelemetryRow> telemetry;
  std::vector<EnergyRow> energy;  // a row a host
  std::vector<TrainingRow> training;
  std::vector<SensitivityRow> sensitivity;
  std::vector<TrialRow> trials;
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
  std::string emulated = {};  // what limits it, where cluster/emulate.sh made it
  std::optional<double> idle_watt = {};
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
