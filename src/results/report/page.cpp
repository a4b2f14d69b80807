#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "core/hash.hpp"
#include "results/json/encoding.hpp"
#include "results/report/assets.hpp"
#include "results/report/html.hpp"
#include "results/report/report.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::string head_lines(const RunRecord& run) {
  const Provenance& made = run.provenance;
  const auto done =
      std::count_if(run.jobs.begin(), run.jobs.end(), [](const JobRecord& job) { return job.status == Status::done; });
  std::string when = made.start_wall_ns > 0 ? time_text(made.start_wall_ns) : "";
  if (made.end_wall_ns > made.start_wall_ns)
    when += ", " + duration_text(static_cast<double>(made.end_wall_ns - made.start_wall_ns));
  return fmt::format(
      "<p><strong class=\"{}\">{}</strong>, {} of {} jobs done</p>\n<p class=\"faint\">{}, {} rank{} on {} host{}, "
      "edgelab {}</p>\n",
      made.complete ? "good" : "warn", made.complete ? "complete" : "not complete", done, run.jobs.size(),
      escaped(when), made.ranks, made.ranks == 1 ? "" : "s", made.hosts_seen, made.hosts_seen == 1 ? "" : "s",
      escaped(made.edgelab_version));
}

std::string sections_of(const RunRecord& run, bool alone) {
  std::string html = summary_section(run) + expectations_section(run) + scenario_section(run);
  if (alone) html += pareto_section({{"", {run}}});
  html += latency_section(run) + confusion_section(run) + layers_section(run) + roofline_section(run);
  html += training_section(run) + sensitivity_section(run) + trials_section(run) + timeline_section(run) + ranks_section(run);
  html += spans_section(run) + forecast_section(run);
  return html + telemetry_section(run) + hosts_section(run) + provenance_section(run);
}

std::string body_of(const std::vector<Side>& sides) {
  if (sides.size() == 1) return sections_of(sides.front().runs.front(), true);
  std::string html = comparison_section(sides) + pareto_section(sides);
  std::string files;
  for (const Side& side : sides) {
    const RunRecord& run = side.runs.front();
    files += "<details class=\"file\"><summary>" + escaped(side.name) + "</summary>" + head_lines(run) +
             sections_of(run, false) + "</details>\n";
  }
  return html + section("Runs one by one", files);
}

// Links to the sections of the page itself, which get ids on the way.
std::string with_contents(std::string body) {
  static constexpr std::string_view kOpen = "<section><h2>";
  std::string links;
  int number = 0;
  for (std::size_t at = body.find(kOpen); at != std::string::npos; at = body.find(kOpen, at + 1)) {
    const std::size_t folded_before = body.find("<details class=\"file\"");
    if (folded_before < at) break;  // what lies folded away has no link
    const std::string id = fmt::format("s{}", ++number);
    const std::size_t begin = at + kOpen.size(), end = body.find("</h2>", begin);
    links += "<li><a href=\"#" + id + "\">" + body.substr(begin, end - begin) + "</a></li>";
    body.replace(at, kOpen.size(), "<section id=\"" + id + "\"><h2>");
  }
  return "<nav aria-label=\"Sections\"><ul>" + links + "</ul></nav></header><main id=\"main\" tabindex=\"-1\">\n" +
         body;
}

// The hash by which a policy names the one script that may run. (CSP 3, section 2.3.1.)
std::string script_hash() {
  const std::string hexadecimal = sha256_of_text(kScript);
  std::vector<std::byte> digest;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2)
    digest.push_back(static_cast<std::byte>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16)));
  return "'sha256-" + base64_of(digest) + "'";
}

}  // namespace

std::string html_report(const std::vector<Side>& sides, const std::string& title) {
  if (sides.empty()) throw std::invalid_argument("a report of no run");
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  // Nothing may be fetched, and no other script run, whatever slipped into a text.
  html +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:; script-src " +
      script_hash() + "\">\n";
  html += "<title>" + escaped(title) + "</title><style>" + kStyle + "</style></head><body>\n";
  html += "<a class=\"skip\" href=\"#main\">Skip to the results</a><header><h1>" + escaped(title) + "</h1>\n";
  if (sides.size() == 1) html += head_lines(sides.front().runs.front());
  html += with_contents(body_of(sides));
  return html + "</main><script>" + kScript + "</script></body></html>\n";
}

}  // namespace edgelab::results::report
