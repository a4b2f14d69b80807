#pragma once

#include <array>
#include <string>

#include "results/schema/field.hpp"

// What lies below a job in a results file; schema.hpp says what a Schema gives.
namespace edgelab::results {

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
       "energy of the timed part, of all hosts; absent where one of them can't tell, never guessed"},
      {"energy_above_idle_joules", &Summary::energy_above_idle_joules, "J",
       "energy_joules less what the hosts, idle as before the run, would have used in that time"},
      {"energy_per_sample_joules", &Summary::energy_per_sample_joules, "J",
       "energy_joules over the samples that went through the model in the timed part"},
      {"throttling", &Summary::throttling, "",
       "what slowed hosts down in the timed part; absent where nothing was seen"},
      {"validity", &Summary::validity, "", "VALID or INVALID, by the rules of the job's scenario; absent without one"},
      {"invalid_reason", &Summary::invalid_reason, "", "why it is INVALID, else absent"},
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
      {"limit_flop_per_second", &LayerRow::limit_flop_per_second, "1/s",
       "what the layer's threads reached in effective_dtype with the fastest matrix product, operands in cache, measured "
       "behind the job; 0 where it was not"},
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
      {"device", &RankRow::device, "", "what it computed on: cpu, or a CUDA device by number and name"},
      {"device_note", &RankRow::device_note, "", "why not on a device that the job names before it, else empty"},
      {"load_ns", &RankRow::load_ns, "ns", "reading weights and making the plan"},
      {"preprocess_ns", &RankRow::preprocess_ns, "ns", "images to tensors"},
      {"compute_ns", &RankRow::compute_ns, "ns", "computing"},
      {"send_ns", &RankRow::send_ns, "ns", "sending"},
      {"receive_ns", &RankRow::receive_ns, "ns", "receiving"},
      {"wait_ns", &RankRow::wait_ns, "ns", "waiting for others"},
      {"bytes_sent", &RankRow::bytes_sent, "byte", "bytes sent"},
      {"bytes_received", &RankRow::bytes_received, "byte", "bytes received"},
      {"peak_rss_bytes", &RankRow::peak_rss_bytes, "byte", "highest resident set of the process so far"},
      {"memory_bytes_per_second", &RankRow::memory_bytes_per_second, "byte/s",
       "what the rank's threads read from main memory, all ranks of the job at the same time, measured behind the job; 0 where it was not"},
      {"spans_began_wall_ns", &RankRow::spans_began_wall_ns, "ns", "from when on spans were kept, since 1970-01-01T00:00:00Z, the same for all ranks of a job; 0 without spans"},
  };
  template <class Walker>
  static void parts(Walker& walker) {
    walker.array(ArrayPart<RankRow, std::int32_t>{"span_kind", &RankRow::span_kind, {{"span", {}}}, "1",
                                                  "what the rank did, one span after another, in the first micro-batches of the last pass through "
                                                  "the data: 0 compute, 1 send, 2 receive, 3 wait"});
    walker.array(ArrayPart<RankRow, std::int64_t>{"span_microbatch", &RankRow::span_microbatch, {{"span", {}}}, "1", "for which micro-batch of the pass"});
    walker.array(ArrayPart<RankRow, std::int64_t>{"span_start_ns", &RankRow::span_start_ns, {{"span", {}}}, "ns",
                                                  "start of each span, since spans_began_wall_ns, by the clock of the job's rank 0"});
    walker.array(ArrayPart<RankRow, std::int64_t>{"span_end_ns", &RankRow::span_end_ns, {{"span", {}}}, "ns", "its end"});
  }
};

template <>
struct Schema<ForecastRecord> {
  static constexpr Field<ForecastRecord> fields[] = {
      {"layout", &ForecastRecord::layout, "", "how the model is split", true},
      {"predicted_latency_ns", &ForecastRecord::predicted_latency_ns, "ns", "predicted mean time of a call"},
      {"measured_latency_ns", &ForecastRecord::measured_latency_ns, "ns", "measured mean time of a call"},
      {"predicted_samples_per_second", &ForecastRecord::predicted_samples_per_second, "1/s", "predicted samples over wall time"},
      {"measured_samples_per_second", &ForecastRecord::measured_samples_per_second, "1/s", "measured samples over wall time"},
      {"predicted_bytes", &ForecastRecord::predicted_bytes, "byte", "predicted bytes that all ranks send for one micro-batch"},
      {"measured_bytes", &ForecastRecord::measured_bytes, "byte", "measured bytes that all ranks send for one micro-batch"},
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
      {"throttle_bits", &TelemetryRow::throttle_bits, "1",
       "a Raspberry Pi's throttling flags as the firmware gives them; the lowest four are also set by what came and went "
       "since the row before. Of others, 4 if heat slowed a core down since then"},
      {"power_watt", &TelemetryRow::power_watt, "W", "power drawn; NaN where the board doesn't tell"},
      {"resident_bytes", &TelemetryRow::resident_bytes, "byte", "resident set of the rank"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<EnergyRow> {
  static constexpr Field<EnergyRow> fields[] = {
      {"rank", &EnergyRow::rank, "1", "rank within the job that sampled the host", true},
      {"host", &EnergyRow::host, "", "host name", true},
      {"source", &EnergyRow::source, "", "meter; empty where nothing can tell"},
      {"energy_joules", &EnergyRow::energy_joules, "J",
       "energy of the timed part, of the whole host with all that ran on it; NaN where nothing can tell"},
      {"idle_watt", &EnergyRow::idle_watt, "W", "power of the host idle, before the run; NaN where unknown"},
      {"window_ns", &EnergyRow::window_ns, "ns", "length of the timed part"},
      {"readings", &EnergyRow::readings, "1", "times that the sensors were read in it"},
      {"reading_ns", &EnergyRow::reading_ns, "ns", "that reading them took of one core"},
      {"interval_ns", &EnergyRow::interval_ns, "ns", "rest between two readings, longer where they take long"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<ScenarioRecord> {
  static constexpr Field<ScenarioRecord> fields[] = {
      {"kind", &ScenarioRecord::kind, "", "single_stream, multi_stream, server or offline", true},
      {"metric", &ScenarioRecord::metric, "", "what value is, with its unit", true},
      {"value", &ScenarioRecord::value, "", "the scenario's result", true},
      {"queries", &ScenarioRecord::queries, "1", "queries"},
      {"samples_per_query", &ScenarioRecord::samples_per_query, "1", "samples of a query"},
      {"duration_ns", &ScenarioRecord::duration_ns, "ns", "from the first query's arrival to the last answer"},
      {"percentile", &ScenarioRecord::percentile, "1", "percentile that the scenario is about, 0 to 100"},
      {"percentile_at_most_ns", &ScenarioRecord::percentile_at_most_ns, "ns",
       "what that percentile does not exceed, at 99 % confidence; absent with too few queries"},
      {"latency_bound_ns", &ScenarioRecord::latency_bound_ns, "ns", "server: what the percentile may be"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<RateRow> {
  static constexpr Field<RateRow> fields[] = {
      {"queries_per_second", &RateRow::queries_per_second, "1/s", "mean rate of the arrivals", true},
      {"queries", &RateRow::queries, "1", "queries that were answered; fewer where it was plain early that it is too fast"},
      {"latency_p99_ns", &RateRow::latency_p99_ns, "ns", "99th percentile of their latency"},
      {"met", &RateRow::met, "1", "1 if it kept the bound, at 99 % confidence"},
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
struct Schema<TrialRow> {
  static constexpr Field<TrialRow> fields[] = {
      {"number", &TrialRow::number, "1", "from 0, which is what the job file says itself", true},
      {"settings", &TrialRow::settings, "", "what was tried", true},
      {"top1", &TrialRow::top1, "1", "share of held-out samples whose label is then the first guess, 0 to 1; NaN: it failed"},
      {"loss", &TrialRow::loss, "1", "mean loss on them"},
      {"bytes", &TrialRow::bytes, "B", "size of the model's file"},
      {"duration_ns", &TrialRow::duration_ns, "ns", "that it took"},
      {"taken", &TrialRow::taken, "1", "1 for the best by what the search was for, with which the job went on"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<SensitivityRow> {
  static constexpr Field<SensitivityRow> fields[] = {
      {"layer", &SensitivityRow::layer, "", "the layer, or the first of the layers whose channels go together", true},
      {"sparsity", &SensitivityRow::sparsity, "1", "share of its weights, or channels, that was left out; 0 where it was made of integers instead", true},
      {"top1", &SensitivityRow::top1, "1", "share of held-out samples whose label is then the first guess, 0 to 1"},
      {"loss", &SensitivityRow::loss, "1", "mean loss on them"},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<ClassRow> {
  static constexpr Field<ClassRow> fields[] = {
      {"name", &ClassRow::name, "", "the class's name", true},
  };
  template <class Walker>
  static void parts(Walker&) {}
};

template <>
struct Schema<MistakeRecord> {
  static constexpr Field<MistakeRecord> fields[] = {
      {"sample", &MistakeRecord::sample, "1", "its place in predictions", true},
      {"file_index", &MistakeRecord::file_index, "1", "its place in the files of the data set's split"},
      {"label", &MistakeRecord::label, "1", "true class", true},
      {"prediction", &MistakeRecord::prediction, "1", "class that the model took it for", true},
      {"probability", &MistakeRecord::probability, "1", "softmax of the class that it took it for, 0 to 1"},
      {"label_probability", &MistakeRecord::label_probability, "1", "softmax of the true class, 0 to 1"},
  };
  template <class Walker>
  static void parts(Walker& walker) {
    walker.array(ArrayPart<MistakeRecord, std::uint8_t>{"picture",
                                                        &MistakeRecord::picture,
                                                        {{"row", &MistakeRecord::height},
                                                         {"column", &MistakeRecord::width},
                                                         {"channel", &MistakeRecord::channels}},
                                                        "1",
                                                        "the sample, at most 48 pixels a side; red, green, blue"});
  }
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

}  // namespace edgelab::results
