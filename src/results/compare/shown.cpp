#include "results/compare/shown.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <nlohmann/json.hpp>

#include "results/compare/metrics.hpp"
#include "results/schema/field.hpp"

namespace edgelab::results {
namespace {

// "+8.1", "−0.3", "0.0"
std::string signed_text(double number, int decimals) {
  const std::string figures = fmt::format("{:.{}f}", std::abs(number), decimals);
  const bool nought = figures.find_first_not_of("0.") == std::string::npos;
  return (nought ? "" : number < 0 ? "−" : "+") + figures;
}

// A change in percent, or in percentage points.
double change_of(const MetricComparison& metric, double ratio_or_difference) {
  return 100 * (metric.is_share ? ratio_or_difference : ratio_or_difference - 1);
}
int decimals_of(const MetricComparison& metric) { return metric.is_share ? 2 : 1; }
const char* unit_of(const MetricComparison& metric) { return metric.is_share ? " points" : " %"; }

Ink ink_of(Verdict verdict) {
  if (verdict == Verdict::faster || verdict == Verdict::better) return Ink::good;
  if (verdict == Verdict::slower || verdict == Verdict::worse) return Ink::bad;
  return Ink::plain;
}

void add_rows(TextTable& table, const JobComparison& job) {
  table.add({{safe_for_terminal(job.id), Ink::bold}, {""}, {""}, {""}, {""}, {""}});
  for (const MetricComparison& metric : job.metrics) {
    const Metric& about = metric_named(metric.name);
    table.add({{std::string("  ") + about.label},
               {metric.a ? about.text(*metric.a) : "–"},
               {metric.b ? about.text(*metric.b) : "–"},
               {change_text(metric)},
               {interval_text(metric)},
               {verdict_text(job, metric), ink_of(metric.verdict)}});
  }
}

std::vector<std::string> notes_of(const JobComparison& job) {
  if (!job.in_a || !job.in_b) return {job.id + ": only in " + (job.in_a ? "A" : "B")};
  std::vector<std::string> notes;
  if (job.status_a != Status::done || job.status_b != Status::done) {
    notes.push_back(fmt::format("{}: {} in A, {} in B", job.id, name_of(job.status_a), name_of(job.status_b)));
  }
  if (!job.same_config) notes.push_back(job.id + ": the two sides' settings differ");
  for (const Doubt& doubt : job.doubts) notes.push_back(job.id + ": " + doubt.text);
  return notes;
}

nlohmann::ordered_json json_of(const MetricComparison& metric) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (metric.a) json["a"] = *metric.a;
  if (metric.b) json["b"] = *metric.b;
  if (metric.ratio()) json["ratio"] = *metric.ratio();
  if (metric.interval) {
    json[metric.is_share ? "difference_95" : "ratio_95"] = {metric.interval->low, metric.interval->high};
    json["resampled"] = text_of(metric.resampled);
  }
  json["verdict"] = text_of(metric.verdict);
  return json;
}

}  // namespace

std::string change_text(const MetricComparison& metric) {
  if (!metric.a || !metric.b || (!metric.is_share && !metric.ratio())) return "";
  const double held = metric.is_share ? *metric.b - *metric.a : *metric.ratio();
  return signed_text(change_of(metric, held), decimals_of(metric)) + unit_of(metric);
}

std::string interval_text(const MetricComparison& metric) {
  if (!metric.interval) return "";
  const int decimals = decimals_of(metric);
  return signed_text(change_of(metric, metric.interval->low), decimals) + " to " +
         signed_text(change_of(metric, metric.interval->high), decimals) + unit_of(metric);
}

std::string verdict_text(const JobComparison& job, const MetricComparison& metric) {
  const bool is_measure = std::string_view(metric.name) == job.measure;
  if (!metric.interval && !is_measure) return "";
  std::string text = text_of(metric.verdict), doubts;
  if (!is_measure) return text;
  for (const Doubt& doubt : job.doubts) {
    if (doubts.find(doubt.what) == std::string::npos) doubts += (doubts.empty() ? "" : ", ") + std::string(doubt.what);
  }
  return doubts.empty() ? text : text + " (" + doubts + ")";
}

std::string comparison_text(const Comparison& comparison, const Look& look) {
  const auto width = static_cast<std::size_t>(look.width);
  std::string text = wrapped("A = " + safe_for_terminal(comparison.name_a), width, 4) + "\n" +
                     wrapped("B = " + safe_for_terminal(comparison.name_b), width, 4) + "\n\n";
  TextTable table({{"job", false}, {"A"}, {"B"}, {"change"}, {"95 %"}, {"", false}});
  std::string notes, resampled;
  bool any = false;
  for (const JobComparison& job : comparison.jobs) {
    for (const std::string& note : notes_of(job))
      notes += painted(wrapped(safe_for_terminal(note), width, 2), Ink::warning, look) + "\n";
    if (job.metrics.empty()) continue;
    any = true;
    add_rows(table, job);
    for (const MetricComparison& metric : job.metrics) {
      if (metric.resampled == Resampled::processes)
        resampled = "Intervals of times, rates and sizes resample processes";
      else if (metric.resampled == Resampled::calls)
        resampled = "Intervals of times resample calls";
    }
  }
  text += any ? table.text(look) : "No job is done on both sides.\n";
  if (!notes.empty()) text += "\n" + notes;
  if (!resampled.empty())
    text += "\n" +
            painted(resampled + "; those of accuracy resample images. 95 %, by the bootstrap.", Ink::faint, look) +
            "\n";
  for (const std::string& caution : comparison.cautions)
    text += painted(wrapped("Note: " + safe_for_terminal(caution) + ".", width, 2), Ink::warning, look) + "\n";
  return text;
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const JobComparison& job : comparison.jobs) {
    nlohmann::ordered_json json = {{"in_a", job.in_a}, {"in_b", job.in_b}};
    if (job.in_a) json["status_a"] = name_of(job.status_a);
    if (job.in_b) json["status_b"] = name_of(job.status_b);
    json["processes_a"] = job.processes_a;
    json["processes_b"] = job.processes_b;
    if (job.in_a && job.in_b) json["same_config"] = job.same_config;
    for (const MetricComparison& metric : job.metrics) json[metric.name] = json_of(metric);
    if (*job.measure != '\0') json["judged_by"] = job.measure;
    json["verdict"] = text_of(job.verdict);
    json["doubts"] = nlohmann::ordered_json::array();
    for (const Doubt& doubt : job.doubts) json["doubts"].push_back(doubt.text);
    all[job.id] = std::move(json);
  }
  return {
      {"a", comparison.name_a}, {"b", comparison.name_b}, {"cautions", comparison.cautions}, {"jobs", std::move(all)}};
}

}  // namespace edgelab::results
