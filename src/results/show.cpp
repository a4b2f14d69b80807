#include "results/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "results/schema/field.hpp"
#include "results/shown_scenarios.hpp"
#include "results/shown_series.hpp"
#include "results/statistics.hpp"
#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

using Cell = TextTable::Cell;

Ink ink_of(Status status) {
  switch (status) {
    case Status::done: return Ink::good;
    case Status::failed: return Ink::bad;
    case Status::skipped: return Ink::faint;
    case Status::interrupted: return Ink::warning;
  }
  return Ink::plain;
}

template <class Number, class Text>
std::string text_or_nothing(const std::optional<Number>& number, Text text) {
  return number ? text(static_cast<double>(*number)) : std::string();
}

// Of weights that are not zero, and of floating-point operations for a sample; of no model nothing.
std::string count_or_nothing(std::int64_t count) { return count == 0 ? "" : count_text(static_cast<double>(count)); }

std::string head(const RunRecord& run, const std::string& file_name, const Look& look) {
  const Provenance& made = run.provenance;
  const auto done =
      std::count_if(run.jobs.begin(), run.jobs.end(), [](const JobRecord& job) { return job.status == Status::done; });
  const std::string state =
      made.complete ? painted("complete", Ink::good, look) : painted("not complete", Ink::warning, look);
  std::string text = painted(safe_for_terminal(file_name), Ink::bold, look) + "  " + state +
                     fmt::format(", {} of {} jobs done\n", done, run.jobs.size());

  std::string line = made.start_wall_ns > 0 ? time_text(made.start_wall_ns) : "";
  if (made.end_wall_ns > made.start_wall_ns)
    line += ", " + duration_text(static_cast<double>(made.end_wall_ns - made.start_wall_ns));
  line += fmt::format("{}{} rank{} on {} host{}", line.empty() ? "" : ", ", made.ranks, made.ranks == 1 ? "" : "s",
                      made.hosts_seen, made.hosts_seen == 1 ? "" : "s");
  if (made.hosts_seen < made.hosts_expected) line += fmt::format(" ({} expected)", made.hosts_expected);
  line += ", edgelab " + made.edgelab_version;
  if (!made.git_commit.empty()) line += " " + made.git_commit.substr(0, 10) + (made.git_dirty ? " with changes" : "");
  return text + wrapped(safe_for_terminal(line), static_cast<std::size_t>(look.width), 2) + "\n";
}

std::string host_lines(const RunRecord& run, const Look& look) {
  std::string text;
  for (const HostRecord& host : run.hosts) {
    std::string line =
        host.name + ": " + host.cpu_model + fmt::format(", {} core{}", host.cores, host.cores == 1 ? "" : "s");
    if (host.memory_bytes > 0) line += ", " + bytes_text(static_cast<double>(host.memory_bytes));
    if (!host.emulated.empty()) line += ", emulated: " + host.emulated;
    if (host.throttle_bits && *host.throttle_bits != 0)
      line += fmt::format(", throttled (0x{:x})", *host.throttle_bits);
    text += painted(wrapped(safe_for_terminal(line), static_cast<std::size_t>(look.width), 2), Ink::faint, look) + "\n";
  }
  return text;
}

std::string job_table(const RunRecord& run, const Look& look) {
  TextTable table({{"job", false},
                   {"task", false, 4},
                   {"status", false},
                   {"n", true, 6},
                   {"top-1"},
                   {"p50"},
                   {"p90", true, 3},
                   {"p99"},
                   {"spread", false, 1},
                   {"per s"},
                   {"memory", true, 5},
                   {"energy"},
                   {"above idle", true, 2}});
  for (const JobRecord& job : run.jobs) {
    const Summary& summary = job.summary;
    table.add({{safe_for_terminal(job.id)},
               {safe_for_terminal(job.task)},
               {std::string(name_of(job.status)), ink_of(job.status)},
               {text_or_nothing(summary.samples, count_text)},
               {text_or_nothing(summary.top1, share_text)},
               {text_or_nothing(summary.latency_p50_ns, duration_text)},
               {text_or_nothing(summary.latency_p90_ns, duration_text)},
               {text_or_nothing(summary.latency_p99_ns, duration_text)},
               {latency_spread(job)},
               {text_or_nothing(summary.throughput_samples_per_second, rate_text)},
               {text_or_nothing(summary.peak_rss_bytes, bytes_text)},
               {text_or_nothing(summary.energy_joules, joules_text)},
               {text_or_nothing(summary.energy_above_idle_joules, joules_text)}});
  }
  return table.text(look);
}

// What compression is about, where the run compares models of several sizes; else nothing.
std::string model_table(const RunRecord& run, const Look& look) {
  std::set<std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>> sizes;
  TextTable table({{"model of", false}, {"file"}, {"non-zeros"}, {"FLOP"}, {"top-1"}, {"p50"}});
  for (const JobRecord& job : run.jobs) {
    const ModelRecord& model = job.model;
    if (model.arch.empty()) continue;
    sizes.emplace(model.arch, model.bytes_on_disk, model.nonzero_parameters, model.flop_per_sample);
    table.add({{safe_for_terminal(job.id)},
               {text_or_nothing(job.summary.model_bytes, bytes_text)},
               {count_or_nothing(model.nonzero_parameters)},
               {count_or_nothing(model.flop_per_sample)},
               {text_or_nothing(job.summary.top1, share_text)},
               {text_or_nothing(job.summary.latency_p50_ns, duration_text)}});
  }
  return sizes.size() < 2 ? "" : "\n" + table.text(look);
}

std::string reasons(const RunRecord& run, const Look& look) {
  std::string text;
  for (const JobRecord& job : run.jobs) {
    for (const std::string& why : doubts_about(job)) {
      const std::string line =
          job.id + ": " + why + (job.attempts > 1 ? fmt::format(" ({} attempts)", job.attempts) : "");
      const Ink ink = job.status == Status::failed ? Ink::bad : Ink::warning;
      text += painted(wrapped(safe_for_terminal(line), static_cast<std::size_t>(look.width), 4), ink, look) + "\n";
    }
  }
  return text.empty() ? text : "\n" + text;
}

// Which device each rank had, of jobs that ran on others than the CPU.
std::string device_lines(const RunRecord& run, const Look& look) {
  std::string text;
  for (const JobRecord& job : run.jobs) {
    for (const RankRow& rank : job.ranks) {
      if (rank.device.empty() || rank.device == "cpu") continue;
      const std::string line = fmt::format("{}: rank {} on {}, {}", job.id, rank.rank, rank.host, rank.device);
      text += painted(wrapped(safe_for_terminal(line), static_cast<std::size_t>(look.width), 4), Ink::faint, look) + "\n";
    }
  }
  return text.empty() ? text : "\n" + text;
}

// Predicted beside measured, of models that are split over ranks; else nothing.
std::string forecast_table(const RunRecord& run, const Look& look) {
  TextTable table({{"predicted", false}, {"layout", false}, {"a call"}, {"measured"}, {"per s"}, {"measured"}, {"sent", true, 1}, {"measured", true, 1}});
  bool any = false;
  for (const JobRecord& job : run.jobs) {
    const ForecastRecord& forecast = job.forecast;
    if (forecast.layout.empty()) continue;
    any = true;
    table.add({{safe_for_terminal(job.id)},
               {safe_for_terminal(forecast.layout)},
               {duration_text(forecast.predicted_latency_ns)},
               {duration_text(forecast.measured_latency_ns)},
               {rate_text(forecast.predicted_samples_per_second)},
               {rate_text(forecast.measured_samples_per_second)},
               {bytes_text(forecast.predicted_bytes)},
               {bytes_text(forecast.measured_bytes)}});
  }
  return any ? "\n" + table.text(look) : "";
}

std::string expectation_lines(const RunRecord& run, const Look& look) {
  std::string text;
  for (const JobRecord& job : run.jobs) {
    for (const ExpectationRow& row : job.expectations) {
      const bool judged = row.note.empty();
      const std::string mark = row.met && judged ? painted("✓", Ink::good, look)
                               : judged          ? painted("✗", Ink::bad, look)
                                                 : painted("–", Ink::warning, look);
      std::string line = job.id + "  " + row.text + ": " + expectation_value_text(row, row.value);
      if (!judged) line += " (" + row.note + ")";
      text += "  " + mark + " " + wrapped(safe_for_terminal(line), static_cast<std::size_t>(look.width) - 4, 6) + "\n";
    }
  }
  return text.empty() ? text : "\n" + painted("Expectations", Ink::bold, look) + "\n" + text;
}

std::string layer_table(const JobRecord& job, const Look& look) {
  if (job.layers.empty()) return "";
  double whole = 0;
  for (const LayerRow& row : job.layers) whole += static_cast<double>(row.time_ns);
  TextTable table(
      {{"layer", false}, {"op", false}, {"type", false}, {"implementation", false}, {"time"}, {"share"}, {"GFLOP/s"}, {"of limit"}});
  for (const LayerRow& row : job.layers) {
    const bool fallen = row.requested_dtype != row.effective_dtype;
    const auto time = static_cast<double>(row.time_ns);
    const std::optional<double> of_limit = share_of_limit(row);
    table.add({{safe_for_terminal(row.name)},
               {safe_for_terminal(row.op)},
               {safe_for_terminal(fallen ? row.requested_dtype + "→" + row.effective_dtype : row.effective_dtype),
                fallen ? Ink::warning : Ink::plain},
               {safe_for_terminal(row.implementation)},
               {row.time_ns > 0 ? duration_text(time) : ""},
               {whole > 0 && row.time_ns > 0 ? fmt::format("{:.1f} %", 100 * time / whole) : ""},
               {row.flop > 0 && row.time_ns > 0 ? figures_text(static_cast<double>(row.flop) / time, 3) : ""},
               {of_limit ? fmt::format("{:.0f} %", 100 * *of_limit) : ""}});
  }
  std::string text =
      "\n" + painted("Layers of " + safe_for_terminal(job.id), Ink::bold, look) + "\n" + table.text(look);
  for (const LayerRow& row : job.layers) {
    if (row.refused.empty()) continue;
    text += painted(wrapped(safe_for_terminal(row.name + " not faster because " + row.refused),
                            static_cast<std::size_t>(look.width), 4),
                    Ink::faint, look) +
            "\n";
  }
  return text;
}

}  // namespace

std::string accuracy_note(const JobRecord& job) {
  const auto& summary = job.summary;
  if (!summary.top1 || !summary.samples || *summary.samples <= 0 || job.classes < 2) return "";
  const double chance = 1.0 / static_cast<double>(job.classes);
  const double deviation = std::sqrt(chance * (1 - chance) / static_cast<double>(*summary.samples));
  if (*summary.top1 > chance + 3 * deviation) return "";
  return fmt::format("top-1 is near chance ({} for {} classes): the weights are random, or don't fit the data",
                     share_text(chance), job.classes);
}

std::vector<std::string> doubts_about(const JobRecord& job) {
  std::vector<std::string> doubts;
  const auto add = [&](const std::string& doubt) {
    if (!doubt.empty()) doubts.push_back(doubt);
  };
  add(job.reason);
  if (job.reason.empty() && job.status == Status::done) add(accuracy_note(job));
  for (const RankRow& rank : job.ranks) {
    if (rank.device_note.empty()) continue;
    add("ran on " + rank.device + ": " + rank.device_note);
    break;
  }
  if (job.summary.invalid_reason)
    add(job.scenario.kind + " is INVALID: " + *job.summary.invalid_reason);
  else if (job.summary.throttling)
    add("slowed down while it was measured: " + *job.summary.throttling);
  return doubts;
}

std::string expectation_value_text(const ExpectationRow& row, double number) {
  const auto about = [&](const char* word) { return row.text.find(word) != std::string::npos; };
  if (about("latency_p50_at_most")) return duration_text(number);
  if (about("model_bytes_at_most")) return bytes_text(number);
  if (about("top1_at_least")) return share_text(number);
  if (about("top1_drop_at_most")) return figures_text(number, 3) + " points";
  if (about("speedup_over")) return figures_text(number, 3) + " times";
  return figures_text(number, 3);
}

std::string shown_text(const RunRecord& run, const std::string& file_name, bool layers, const Look& look) {
  std::string text = head(run, file_name, look) + host_lines(run, look);
  if (!run.jobs.empty()) text += "\n" + job_table(run, look) + model_table(run, look) + forecast_table(run, look) +
                                  scenario_table(run, look);
  text += training_table(run, look) + trials_table(run, look) + telemetry_table(run, look) + device_lines(run, look) + reasons(run, look) + expectation_lines(run, look);
  for (const JobRecord& job : run.jobs) {
    if (layers) text += layer_table(job, look);
  }
  return text;
}

}  // namespace edgelab::results
