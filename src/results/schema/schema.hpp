#pragma once

#include <array>
#include <string>
#include <utility>

#include "results/schema/field.hpp"
#include "results/schema/job_parts.hpp"

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
      {"emulated", &HostRecord::emulated, "", "what limits a host that cluster/emulate.sh made of a part of a machine; empty on a machine of its own"},
      {"idle_watt", &HostRecord::idle_watt, "W",
       "power of the whole host before the first job; absent where nothing can tell"},
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
                                           "normalised tensor in memory to logits, for each call (one batch); with a "
                                           "scenario but offline, arrival to answer, for each query"});
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
    walker.table("class_names", &JobRecord::class_names, "names of the classes, in the order of their numbers");
    walker.groups(
        "mistakes", &JobRecord::mistakes, [](const MistakeRecord& row) { return std::to_string(row.sample); },
        "the samples that the model was surest and wrong about, the surest first");
    walker.group(
        "forecast", &JobRecord::forecast, [](const ForecastRecord& forecast) { return !forecast.layout.empty(); },
        "what was predicted before a split model ran, from its layers' measured times, and what was measured");
    walker.groups(
        "ranks", &JobRecord::ranks, [](const RankRow& row) { return std::to_string(row.rank); },
        "where the time of each rank went");
    walker.group(
        "scenario", &JobRecord::scenario, [](const ScenarioRecord& scenario) { return !scenario.kind.empty(); },
        "the scenario by which queries arrived, and its result");
    walker.table("rates", &JobRecord::rates, "the rates of arrivals that were tried, in their order");
    walker.table("telemetry", &JobRecord::telemetry, "the hosts over time, while they were measured");
    walker.table("energy", &JobRecord::energy, "what each host used while it was measured");
    walker.table("training", &JobRecord::training, "one row an epoch");
    walker.table("sensitivity", &JobRecord::sensitivity, "what leaving out a share of one layer alone costs, or its integers");
    walker.table("trials", &JobRecord::trials, "the settings that a search tried, in their order");
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
