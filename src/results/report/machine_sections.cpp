#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::string entry(const std::string& name, const std::string& text) {
  return text.empty() ? "" : "<dt>" + escaped(name) + "</dt><dd>" + escaped(text) + "</dd>\n";
}

}  // namespace

std::string hosts_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const HostRecord& host : run.hosts) {
    const auto memory = static_cast<double>(host.memory_bytes);
    rows.push_back(
        {text_cell(host.name + (host.emulated.empty() ? "" : " (emulated: " + host.emulated + ")"), "wrap"), text_cell(host.cpu_model, "wrap"), number_cell(host.cores, std::to_string(host.cores)),
         number_cell(host.ranks, std::to_string(host.ranks)), number_cell(memory, memory > 0 ? bytes_text(memory) : ""),
         text_cell(host.governor),
         number_cell(host.temperature_celsius, [](double degrees) { return fmt::format("{:.1f} °C", degrees); }),
         text_cell(host.throttle_bits ? fmt::format("0x{:x}", *host.throttle_bits) : "",
                   host.throttle_bits && *host.throttle_bits != 0 ? "bad" : ""),
         text_cell(host.network_interface),
         text_cell(host.operating_system + (host.kernel.empty() ? "" : ", " + host.kernel), "wrap")});
  }
  if (rows.empty()) return "";
  return section("Hosts", html_table("Hosts",
                                     {"host", "CPU", "cores", "ranks", "memory", "governor", "temperature",
                                      "throttling", "interface", "system"},
                                     rows));
}

std::string provenance_section(const RunRecord& run) {
  const Provenance& made = run.provenance;
  std::string html = "<dl>\n" + entry("command", made.command_line) + entry("job file", made.job_file) +
                     entry("edgelab", made.edgelab_version);
  html += entry("commit", made.git_commit + (made.git_dirty ? " with changes" : "")) + entry("build", made.build_flags);
  if (made.start_wall_ns > 0) html += entry("start", time_text(made.start_wall_ns));
  if (made.end_wall_ns > 0) html += entry("end", time_text(made.end_wall_ns));
  html += entry("hosts", fmt::format("{} of {}", made.hosts_seen, made.hosts_expected));
  for (const auto& [name, version] : made.library_versions) html += entry(name, version);
  html += "</dl>\n";
  if (!made.resolved.empty())
    html += folded("The job file as it was run", "<pre tabindex=\"0\">" + escaped(made.resolved) + "</pre>");
  return section("Provenance", html);
}

}  // namespace edgelab::results::report
