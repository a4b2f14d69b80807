#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/schema/field.hpp"
#include "results/show.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

const char* class_of(Status status) {
  switch (status) {
    case Status::done: return "good";
    case Status::failed: return "bad";
    case Status::interrupted: return "warn";
    case Status::skipped: return "faint";
  }
  return "";
}

HtmlCell count_cell(std::int64_t count) {
  return number_cell(static_cast<double>(count), count == 0 ? "" : count_text(static_cast<double>(count)));
}

}  // namespace

std::string summary_section(const RunRecord& run) {
  if (run.jobs.empty()) return "<p>No job has ended.</p>\n";
  std::vector<std::vector<HtmlCell>> rows;
  std::string notes;
  for (const JobRecord& job : run.jobs) {
    const Summary& summary = job.summary;
    rows.push_back({text_cell(job.id, "id"), text_cell(job.task), text_cell(name_of(job.status), class_of(job.status)),
                    number_cell(summary.samples, count_text), number_cell(summary.top1, share_text),
                    number_cell(summary.top5, share_text), number_cell(summary.latency_p50_ns, duration_text),
                    number_cell(summary.latency_p90_ns, duration_text),
                    number_cell(summary.latency_p99_ns, duration_text),
                    number_cell(summary.throughput_samples_per_second, rate_text),
                    number_cell(summary.time_to_first_inference_ns, duration_text),
                    number_cell(summary.peak_rss_bytes, bytes_text), number_cell(summary.model_bytes, bytes_text),
                    count_cell(job.model.nonzero_parameters), count_cell(job.model.flop_per_sample),
                    number_cell(summary.energy_joules, joules_text),
                    number_cell(summary.energy_above_idle_joules, joules_text),
                    number_cell(summary.energy_per_sample_joules, joules_text)});
    for (const std::string& why : doubts_about(job))
      notes += "<p class=\"" + std::string(job.status == Status::failed ? "bad" : "warn") + "\">" +
               escaped(job.id + ": " + why) + "</p>\n";
  }
  return section("Jobs", html_table("Jobs",
                                    {"job", "task", "status", "samples", "top-1", "top-5", "p50", "p90", "p99",
                                     "samples/s", "first answer", "memory", "model", "non-zeros", "FLOP", "energy",
                                     "above idle", "a sample"},
                                    rows) +
                             notes);
}

std::string expectations_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    for (const ExpectationRow& row : job.expectations) {
      const bool judged = row.note.empty();
      rows.push_back({text_cell(!judged   ? "– not judged"
                                : row.met ? "✓ met"
                                          : "✗ not met",
                                !judged   ? "warn"
                                : row.met ? "good"
                                          : "bad"),
                      text_cell(job.id, "id"), text_cell(row.text, "wrap"),
                      number_cell(row.value, expectation_value_text(row, row.value)), text_cell(row.note, "wrap")});
    }
  }
  if (rows.empty()) return "";
  return section("Expectations", html_table("Expectations", {"result", "job", "expected", "came out", "note"}, rows));
}

}  // namespace edgelab::results::report
