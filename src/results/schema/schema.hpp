#pragma once

#include <array>
#include <string>
#include <utility>

#include "results/schema/field.hpp"

// The one definition of what a results file holds ("edgelab/1"). Each Schema<Record> gives
//   fields   the record's attributes, or its columns where the record is a row of a table;
//   parts(v) what lies below it, in order, as calls on a walker v:
//     v.text(name, member, description)                    scalar string dataset
//     v.group(name, member, present, description)          one group; present(sub-record) says whether it is written
//     v.groups(name, member, key, description)             a group that holds one group for each row, named by key(row)
//     v.table(name, member, description)                   compound dataset, one element a row
//     v.array(ArrayPart)                                   numeric dataset
namespace edgelab::results {

inline constexpr const char* kSchemaName = "edgelab/1";

template <class Record>
struct Schema;

using LibraryRow = std::pair<std::string, std::string>;

template <>
struct Schema<LibraryRow> {
  static constexpr Field<LibraryRow> fields[] = {
      {"name", &LibraryRow::first, "", "library or tool", true},
      {"version", &LibraryRow::second, "", "its version, as it tells it at run time", true},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<Provenance> {
  static constexpr Field<Provenance> fields[] = {
      {"complete", &Provenance::complete, "1",
       "1 when every job of the run has ended and the run closed the file itself, else 0", true},
      {"edgelab_version", &Provenance::edgelab_version, "", "version of edgelab"},
      {"git_commit", &Provenance::git_commit, "", "commit that edgelab was built from"},
      {"git_dirty", &Provenance::git_dirty, "1", "1 if the checkout had changes of its own when it was built"},
      {"build_flags", &Provenance::build_flags, "", "compiler, build type and flags"},
      {"command_line", &Provenance::command_line, "", "command line of rank 0"},
      {"job_file", &Provenance::job_file, "", "job files, as named on the command line"},
      {"start_wall_ns", &Provenance::start_wall_ns, "ns", "start of the run, since 1970-01-01T00:00:00Z"},
      {"end_wall_ns", &Provenance::end_wall_ns, "ns", "end of the run, since 1970-01-01T00:00:00Z; 0 while it runs"},
      {"hosts_expected", &Provenance::hosts_expected, "1", "hosts that the run was to have"},
      {"hosts_seen", &Provenance::hosts_seen, "1", "hosts that answered"},
      {"ranks", &Provenance::ranks, "1", "MPI ranks of the run"},
  };
  template <class Walker>
  static void parts(Walker& walker) {
    walker.text("resolved", &Provenance::resolved, "the job file after includes, defaults, overrides and sweeps");
    walker.table("libraries", &Provenance::library_versions, "versions of the libraries in use");
  }
};

template <>
struct Schema<HostRecord> {
  static constexpr Field<HostRecord> fields[] = {
      {"name", &HostRecord::name, "", "host name", true},
      {"cpu_model", &HostRecord::cpu_model, "", "CPU model"},
      {"features", &HostRecord::features, "", "CPU features, as /proc/cpuinfo names them"},
      {"kernel", &HostRecord::kernel, "", "kernel release"},
      {"operating_system", &HostRecord::operating_system, "", "operating system"},
      {"governor", &HostRecord::governor, "", "frequency governor; empty where the kernel doesn't tell"},
      {"cores", &HostRecord::cores, "1", "cores that the run may use"},
      {"ranks", &HostRecord::ranks, "1", "ranks of the run on this host"},
      {"memory_bytes", &HostRecord::memory_bytes, "byte", "main memory"},
      {"network_interface", &HostRecord::network_interface, "", "interface that messages take"},
      {"temperature_celsius", &HostRecord::temperature_celsius, "degree_Celsius",
       "temperature at the start; absent where the board doesn't tell"},
      {"throttle_bits", &HostRecord::throttle_bits, "1",
       "throttling flags as the firmware gives them; absent where it doesn't"},
      {"network_bits_per_second", &HostRecord::network_bits_per_second, "bit/s",
       "speed of the interface; absent where unknown"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<LinkTable> {
  static constexpr Field<LinkTable> fields[] = {
      {"ranks", &LinkTable::ranks, "1", "ranks measured", true},
  };
  template <class Walker>
  static void parts(Walker& walker) {
    walker.array(ArrayPart<LinkTable, double>{"latency_ns",
                                              &LinkTable::latency_ns,
                                              {{"from_rank", &LinkTable::ranks}, {"to_rank", &LinkTable::ranks}},
                                              "ns",
                                              "one-way time of an empty message"});
    walker.array(ArrayPart<LinkTable, double>{"bandwidth_bytes_per_second",
                                              &LinkTable::bandwidth_bytes_per_second,
                                              {{"from_rank", &LinkTable::ranks}, {"to_rank", &LinkTable::ranks}},
                                              "byte/s",
                                              "rate of large messages"});
  }
};

template <>
struct Schema<ModelRecord> {
  static constexpr Field<ModelRecord> fields[] = {
      {"arch", &ModelRecord::arch, "", "architecture, by its torchvision or timm name", true},
      {"parameters", &ModelRecord::parameters, "1", "parameters"},
      {"nonzero_parameters", &ModelRecord::nonzero_parameters, "1", "parameters that are not zero"},
      {"bytes_on_disk", &ModelRecord::bytes_on_disk, "byte",
       "size of the weights file, or what it would be for random weights"},
      {"flop_per_sample", &ModelRecord::flop_per_sample, "1",
       "floating-point operations for one sample; a multiply-add counts two"},
      {"weights", &ModelRecord::weights, "", "where the weights came from: path and SHA-256, or 'random, seed N'"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<Summary> {
  static constexpr Field<Summary> fields[] = {
      {"samples", &Summary::samples, "1", "distinct samples, not times repeats"},
      {"top1", &Summary::top1, "1", "share of samples whose label is the first guess, 0 to 1; absent without labels"},
      {"top5", &Summary::top5, "1",
       "share of samples whose label is among the first five guesses, 0 to 1; absent without labels"},
      {"loss", &Summary::loss, "1", "mean cross-entropy, natural logarithm"},
      {"latency_mean_ns", &Summary::latency_mean_ns, "ns", "mean time of a call"},
      {"latency_p50_ns", &Summary::latency_p50_ns, "ns", "median time of a call (a call is one batch)"},
      {"latency_p90_ns", &Summary::latency_p90_ns, "ns",
       "90th percentile, linear between neighbours as numpy.percentile"},
      {"latency_p99_ns", &Summary::latency_p99_ns, "ns", "99th percentile"},
      {"throughput_samples_per_second", &Summary::throughput_samples_per_second, "1/s", "samples over wall time"},
      {"time_to_first_inference_ns", &Summary::time_to_first_inference_ns, "ns",
       "job start to first logits, weights loading included"},
      {"peak_rss_bytes", &Summary::peak_rss_bytes, "byte", "highest resident set of one rank"},
      {"model_bytes", &Summary::model_bytes, "byte", "bytes of the weights as executed"},
      {"energy_joules", &Summary::energy_joules, "J",
       "energy of the timed part; absent where the board can't tell, never guessed"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<LayerRow> {
  static constexpr Field<LayerRow> fields[] = {
      {"name", &LayerRow::name, "", "layer", true},
      {"op", &LayerRow::op, "", "operation", true},
      {"requested_dtype", &LayerRow::requested_dtype, "", "element type asked for", true},
      {"effective_dtype", &LayerRow::effective_dtype, "", "element type that ran", true},
      {"implementation", &LayerRow::implementation, "", "implementation that ran", true},
      {"refused", &LayerRow::refused, "", "why every faster implementation said no", true},
      {"time_ns", &LayerRow::time_ns, "ns", "median time of a call", true},
      {"bytes", &LayerRow::bytes, "byte", "bytes read and written, weights included", true},
      {"sparsity", &LayerRow::sparsity, "1", "share of weights that are zero, 0 to 1", true},
      {"flop", &LayerRow::flop, "1", "floating-point operations of a call; a multiply-add counts two"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<RankRow> {
  static constexpr Field<RankRow> fields[] = {
      {"rank", &RankRow::rank, "1", "rank within the job", true},
      {"world_rank", &RankRow::world_rank, "1", "rank within the run"},
      {"host", &RankRow::host, "", "host name"},
      {"role", &RankRow::role, "", "stage or shard"},
      {"threads", &RankRow::threads, "1", "threads that compute"},
      {"load_ns", &RankRow::load_ns, "ns", "reading weights and making the plan"},
      {"preprocess_ns", &RankRow::preprocess_ns, "ns", "images to tensors"},
      {"compute_ns", &RankRow::compute_ns, "ns", "computing"},
      {"send_ns", &RankRow::send_ns, "ns", "sending"},
      {"receive_ns", &RankRow::receive_ns, "ns", "receiving"},
      {"wait_ns", &RankRow::wait_ns, "ns", "waiting for others"},
      {"bytes_sent", &RankRow::bytes_sent, "byte", "bytes sent"},
      {"bytes_received", &RankRow::bytes_received, "byte", "bytes received"},
      {"peak_rss_bytes", &RankRow::peak_rss_bytes, "byte", "highest resident set of the process so far"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<TelemetryRow> {
  static constexpr Field<TelemetryRow> fields[] = {
      {"time_ns", &TelemetryRow::time_ns, "ns", "since the job began", true},
      {"rank", &TelemetryRow::rank, "1", "rank within the job"},
      {"frequency_hz", &TelemetryRow::frequency_hz, "Hz", "CPU frequency; NaN where the board doesn't tell"},
      {"temperature_celsius", &TelemetryRow::temperature_celsius, "degree_Celsius",
       "temperature; NaN where the board doesn't tell"},
      {"throttle_bits", &TelemetryRow::throttle_bits, "1", "throttling flags as the firmware gives them"},
      {"power_watt", &TelemetryRow::power_watt, "W", "power drawn; NaN where the board doesn't tell"},
      {"resident_bytes", &TelemetryRow::resident_bytes, "byte", "resident set of the rank"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<TrainingRow> {
  static constexpr Field<TrainingRow> fields[] = {
      {"epoch", &TrainingRow::epoch, "1", "epoch", true},
      {"loss", &TrainingRow::loss, "1", "mean training loss"},
      {"top1", &TrainingRow::top1, "1", "share of held-out samples whose label is the first guess, 0 to 1"},
      {"learning_rate", &TrainingRow::learning_rate, "1", "learning rate at the epoch's end"},
      {"samples_per_second", &TrainingRow::samples_per_second, "1/s", "training samples over wall time"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<SensitivityRow> {
  static constexpr Field<SensitivityRow> fields[] = {
      {"layer", &SensitivityRow::layer, "", "the layer, or the first of the layers whose channels go together", true},
      {"sparsity", &SensitivityRow::sparsity, "1", "share of its weights, or channels, that was left out", true},
      {"top1", &SensitivityRow::top1, "1", "share of held-out samples whose label is then the first guess, 0 to 1"},
      {"loss", &SensitivityRow::loss, "1", "mean loss on them"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<ExpectationRow> {
  static constexpr Field<ExpectationRow> fields[] = {
      {"text", &ExpectationRow::text, "", "the expectation, as the job file puts it", true},
      {"value", &ExpectationRow::value, "", "what came out, in the expectation's own unit", true},
      {"bound", &ExpectationRow::bound, "", "what was asked", true},
      {"met", &ExpectationRow::met, "1", "1 if met, else 0", true},
      {"note", &ExpectationRow::note, "", "why it was not judged, or empty"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<JobRecord> {
  static constexpr Field<JobRecord> fields[] = {
      {"id", &JobRecord::id, "", "the job's id; the group's name is this with awkward characters as %XX", true},
      {"task", &JobRecord::task, "", "infer, evaluate, train, prune, quantize or bench", true},
      {"status", &JobRecord::status, "", "done, failed, skipped or interrupted", true},
      {"attempts", &JobRecord::attempts, "1", "times it was started", true},
      {"reason", &JobRecord::reason, "", "why it failed or was skipped, else empty"},
      {"content_key", &JobRecord::content_key, "",
       "hash of resolved config, input files and edgelab's version: equal keys, equal job"},
      {"started_wall_ns", &JobRecord::started_wall_ns, "ns", "start, since 1970-01-01T00:00:00Z"},
      {"ended_wall_ns", &JobRecord::ended_wall_ns, "ns", "end, since 1970-01-01T00:00:00Z"},
      {"batch", &JobRecord::batch, "1", "samples of a call"},
      {"classes", &JobRecord::classes, "1", "classes of the model; 0 where it has none"},
      {"keep_logits", &JobRecord::keep_logits, "1", "1 if the job said keep_logits: true"},
  };
  template <class Walker>
  static void parts(Walker& walker) {
    walker.text("config", &JobRecord::config, "the resolved job");
    walker.group(
        "model", &JobRecord::model, [](const ModelRecord& model) { return !model.arch.empty(); }, "the model that ran");
    walker.table("layers", &JobRecord::layers, "the model layer by layer, in order of execution");
    walker.group(
        "summary", &JobRecord::summary, [](const Summary&) { return true; },
        "the job in a few numbers; an absent attribute is unknown");
    walker.array(
        ArrayPart<JobRecord, std::int64_t>{"latency",
                                           &JobRecord::latency_ns,
                                           {{"repeat", &JobRecord::repeats}, {"call", &JobRecord::calls}},
                                           "ns",
                                           "normalised tensor in memory to logits, for each call (one batch)"});
    walker.array(ArrayPart<JobRecord, std::int32_t>{"predictions",
                                                    &JobRecord::predictions,
                                                    {{"sample", {}}},
                                                    "1",
                                                    "class with the largest logit, data-set order, last repeat"});
    walker.array(ArrayPart<JobRecord, std::int32_t>{
        "labels", &JobRecord::labels, {{"sample", {}}}, "1", "true class, data-set order"});
    walker.array(ArrayPart<JobRecord, float>{"logits",
                                             &JobRecord::logits,
                                             {{"sample", {}}, {"class", &JobRecord::classes}},
                                             "1",
                                             "the model's output, when the job says keep_logits: true",
                                             &JobRecord::keep_logits});
    walker.groups(
        "ranks", &JobRecord::ranks, [](const RankRow& row) { return std::to_string(row.rank); },
        "where the time of each rank went");
    walker.table("telemetry", &JobRecord::telemetry, "the ranks over time");
    walker.table("training", &JobRecord::training, "one row an epoch");
    walker.table("sensitivity", &JobRecord::sensitivity, "what leaving out a share of one layer alone costs");
    walker.table("expectations", &JobRecord::expectations, "what the job file expected, and what came out");
  }
};

template <>
struct Schema<RunRecord> {
  static constexpr std::array<Field<RunRecord>, 0> fields = {};
  template <class Walker>
  static void parts(Walker& walker) {
    walker.group(
        "provenance", &RunRecord::provenance, [](const Provenance&) { return true; }, "what made this file");
    walker.groups(
        "hosts", &RunRecord::hosts, [](const HostRecord& host) { return host.name; }, "the hosts of the run");
    walker.group(
        "links", &RunRecord::links, [](const LinkTable& links) { return links.ranks > 0; },
        "measured latency and bandwidth, rank to rank");
    walker.groups(
        "jobs", &RunRecord::jobs, [](const JobRecord& job) { return job.id; },
        "one group a job, in the order of the job file");
  }
};

}  // namespace edgelab::results
