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

template <class Number, class Text>
HtmlCell number_cell(const std::optional<Number>& number, Text text) {
  return {number ? escaped(text(static_cast<double>(*number))) : "", true, ""};
}

HtmlCell count_cell(std::int64_t count) { return {count == 0 ? "" : escaped(count_text(static_cast<double>(count))), true, ""}; }

}  // namespace

std::string summary_section(const RunRecord& run) {
  if (run.jobs.empty()) return "<p>No job has ended.</p>\n";
  std::vector<std::vector<HtmlCell>> rows;
  std::string notes;
  for (const JobRecord& job : run.jobs) {
    const Summary& summary = job.summary;
    rows.push_back({{escaped(job.id), false, ""},
                    {escaped(job.task), false, ""},
                    {std::string(name_of(job.status)), false, class_of(job.status)},
                    number_cell(summary.samples, count_text),
                    number_cell(summary.top1, share_text),
                    number_cell(summary.top5, share_text),
                    number_cell(summary.latency_p50_ns, duration_text),
                    number_cell(summary.latency_p90_ns, duration_text),
                    number_cell(summary.latency_p99_ns, duration_text),
                    number_cell(summary.throughput_samples_per_second, rate_text),
                    number_cell(summary.peak_rss_bytes, bytes_text),
                    number_cell(summary.model_bytes, bytes_text),
                    count_cell(job.model.nonzero_parameters),
                    count_cell(job.model.flop_per_sample),
                    number_cell(summary.energy_joules, [](double joules) { return figures_text(joules, 3) + " J"; })});
    const std::string why = job.reason.empty() && job.status == Status::done ? accuracy_note(job) : job.reason;
    if (!why.empty())
      notes += "<p class=\"" + std::string(job.status == Status::failed ? "bad" : "warn") + "\">" +
               escaped(job.id + ": " + why) + "</p>\n";
  }
  return "<section><h2>Jobs</h2>\n" +
         html_table({"job", "task", "status", "samples", "top-1", "top-5", "p50", "p90", "p99", "samples/s", "memory",
                     "model", "non-zeros", "FLOP", "energy"},
                    rows) +
         notes + "</section>\n";
}

std::string expectations_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    for (const ExpectationRow& row : job.expectations) {
      const bool judged = row.note.empty();
      rows.push_back({{!judged   ? "– not judged"
                       : row.met ? "✓ met"
                                 : "✗ not met",
                       false,
                       !judged   ? "warn"
                       : row.met ? "good"
                                 : "bad"},
                      {escaped(job.id), false, ""},
                      {escaped(row.text), false, "wrap"},
                      {escaped(expectation_value_text(row, row.value)), true, ""},
                      {escaped(row.note), false, "wrap"}});
    }
  }
  if (rows.empty()) return "";
  return "<section><h2>Expectations</h2>\n" + html_table({"", "job", "expected", "came out", "note"}, rows) +
         "</section>\n";
}

}  // namespace edgelab::results::report
