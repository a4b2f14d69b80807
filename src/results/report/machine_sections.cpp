#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

HtmlCell span_cell(std::int64_t nanoseconds) {
  return {nanoseconds > 0 ? escaped(duration_text(static_cast<double>(nanoseconds))) : "", true, ""};
}
HtmlCell bytes_cell(std::int64_t bytes) {
  return {bytes > 0 ? escaped(bytes_text(static_cast<double>(bytes))) : "", true, ""};
}

std::string entry(const std::string& name, const std::string& text) {
  return text.empty() ? "" : "<dt>" + escaped(name) + "</dt><dd>" + escaped(text) + "</dd>\n";
}

}  // namespace

std::string ranks_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    for (const RankRow& rank : job.ranks) {
      rows.push_back({{escaped(job.id), false, ""},
                      {std::to_string(rank.rank), true, ""},
                      {escaped(rank.host), false, ""},
                      {escaped(rank.role), false, "wrap"},
                      {std::to_string(rank.threads), true, ""},
                      span_cell(rank.load_ns),
                      span_cell(rank.preprocess_ns),
                      span_cell(rank.compute_ns),
                      span_cell(rank.send_ns),
                      span_cell(rank.receive_ns),
                      span_cell(rank.wait_ns),
                      bytes_cell(rank.bytes_sent),
                      bytes_cell(rank.bytes_received),
                      bytes_cell(rank.peak_rss_bytes)});
    }
  }
  if (rows.empty()) return "";
  return "<section><h2>Ranks</h2>\n" +
         html_table({"job", "rank", "host", "role", "threads", "load", "preprocess", "compute", "send", "receive",
                     "wait", "sent", "received", "memory"},
                    rows) +
         "</section>\n";
}

std::string hosts_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const HostRecord& host : run.hosts) {
    rows.push_back({{escaped(host.name), false, ""},
                    {escaped(host.cpu_model), false, "wrap"},
                    {std::to_string(host.cores), true, ""},
                    {std::to_string(host.ranks), true, ""},
                    bytes_cell(host.memory_bytes),
                    {escaped(host.governor), false, ""},
                    {host.temperature_celsius ? fmt::format("{:.1f} °C", *host.temperature_celsius) : "", true, ""},
                    {host.throttle_bits ? fmt::format("0x{:x}", *host.throttle_bits) : "", false,
                     host.throttle_bits && *host.throttle_bits != 0 ? "bad" : ""},
                    {escaped(host.network_interface), false, ""},
                    {escaped(host.operating_system + (host.kernel.empty() ? "" : ", " + host.kernel)), false, "wrap"}});
  }
  if (rows.empty()) return "";
  return "<section><h2>Hosts</h2>\n" +
         html_table({"host", "CPU", "cores", "ranks", "memory", "governor", "temperature", "throttling", "interface",
                     "system"},
                    rows) +
         "</section>\n";
}

std::string provenance_section(const RunRecord& run) {
  const Provenance& made = run.provenance;
  std::string html = "<section><h2>Provenance</h2>\n<dl>\n";
  html +=
      entry("command", made.command_line) + entry("job file", made.job_file) + entry("edgelab", made.edgelab_version);
  html += entry("commit", made.git_commit + (made.git_dirty ? " with changes" : "")) + entry("build", made.build_flags);
  if (made.start_wall_ns > 0) html += entry("start", time_text(made.start_wall_ns));
  if (made.end_wall_ns > 0) html += entry("end", time_text(made.end_wall_ns));
  html += entry("hosts", fmt::format("{} of {}", made.hosts_seen, made.hosts_expected));
  for (const auto& [name, version] : made.library_versions) html += entry(name, version);
  html += "</dl>\n";
  if (!made.resolved.empty())
    html +=
        "<details><summary>The job file as it was run</summary><pre>" + escaped(made.resolved) + "</pre></details>\n";
  return html + "</section>\n";
}

}  // namespace edgelab::results::report
