#include "batch/doctor/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/doctor/facts_json.hpp"
#include "results/text/units.hpp"

namespace edgelab::batch::doctor {
namespace {

using Json = nlohmann::ordered_json;
using results::Ink;

Ink ink_of(Level level) {
  switch (level) {
    case Level::ok: return Ink::good;
    case Level::note: return Ink::plain;
    case Level::warn: return Ink::warning;
    case Level::bad: return Ink::bad;
  }
  return Ink::plain;
}

constexpr std::size_t kTextColumn = 20;

std::string line_of(const Finding& finding, const results::Look& look) {
  const auto width = static_cast<std::size_t>(look.width);
  const std::string level(level_name(finding.level));
  std::string text = "  " + results::painted(level, ink_of(finding.level), look) + std::string(6 - level.size(), ' ') +
                     fmt::format("{:<12}", finding.check);
  text += results::wrapped(results::safe_for_terminal(finding.text), width - kTextColumn, kTextColumn) + "\n";
  if (!finding.fix.empty())
    text += std::string(kTextColumn, ' ') + "→ " +
            results::wrapped(results::safe_for_terminal(finding.fix), width - kTextColumn - 2, kTextColumn + 2) + "\n";
  return text;
}

std::string findings_on(const std::string& host, const std::vector<Finding>& findings, const results::Look& look) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.host == host) text += line_of(finding, look);
  }
  return text;
}

std::string heading(const Visit& visit) {
  std::string text = visit.host.user.empty() ? visit.host.name : visit.host.user + "@" + visit.host.name;
  if (visit.this_machine) text += " (this machine)";
  if (visit.facts) text += ", " + visit.facts->operating_system + ", " + visit.facts->kernel;
  return results::safe_for_terminal(text);
}

std::string verdict(const std::vector<Visit>& visits, const std::vector<Finding>& findings) {
  const auto count = [&](Level level) {
    return std::count_if(findings.begin(), findings.end(),
                         [&](const Finding& finding) { return finding.level == level; });
  };
  const std::string hosts = visits.size() == 1 ? "This host" : fmt::format("All {} hosts", visits.size());
  if (const auto bad = count(Level::bad))
    return fmt::format("A run would not come through: {} thing{} to mend.", bad, bad == 1 ? "" : "s");
  if (const auto warnings = count(Level::warn))
    return fmt::format("{} can run; {} warning{}.", hosts, warnings, warnings == 1 ? "" : "s");
  return hosts + " can run.";
}

Json visit_tree(const Visit& visit) {
  constexpr const char* kOutcomes[] = {"answered", "unreachable", "out_of_time", "no_program", "broken_program"};
  Json json{{"name", visit.host.name},
            {"ranks", visit.host.ranks},
            {"outcome", kOutcomes[static_cast<std::size_t>(visit.outcome)]}};
  if (!visit.host.user.empty()) json["user"] = visit.host.user;
  json["this_machine"] = visit.this_machine;
  json["duration_ns"] = visit.duration_ns;
  if (visit.clock)
    json["clock"] = {{"offset_ns", visit.clock->offset_ns}, {"uncertainty_ns", visit.clock->uncertainty_ns}};
  if (!visit.architecture.empty()) json["architecture"] = visit.architecture;
  if (!visit.errors.empty()) json["errors"] = visit.errors;
  if (visit.facts) json["facts"] = facts_tree(*visit.facts);
  return json;
}

// Rows send, columns receive.
std::string link_table(const MeasuredLinks& links, const results::Look& look) {
  constexpr std::size_t kMostHosts = 8;
  const std::size_t hosts = links.hosts.size();
  if (hosts > kMostHosts) return "";
  std::vector<results::TextTable::Column> columns{{"from \\ to", false}};
  for (const std::string& host : links.hosts) columns.push_back({host});
  results::TextTable table(std::move(columns));
  for (std::size_t from = 0; from < hosts; ++from) {
    std::vector<results::TextTable::Cell> row{{links.hosts[from]}};
    for (std::size_t to = 0; to < hosts; ++to) {
      const auto& link = links.of(static_cast<int>(from), static_cast<int>(to));
      row.push_back({link ? rate_text_of(*link) + " " + results::duration_text(link->latency_ns) : ""});
    }
    table.add(std::move(row));
  }
  return table.text(look) + "\n";
}

Json links_tree(const MeasuredLinks& links) {
  Json list = Json::array();
  const int hosts = static_cast<int>(links.hosts.size());
  for (int from = 0; from < hosts; ++from) {
    for (int to = 0; to < hosts; ++to) {
      const auto& link = links.of(from, to);
      if (!link) continue;
      list.push_back({{"from", links.hosts[static_cast<std::size_t>(from)]}, {"to", links.hosts[static_cast<std::size_t>(to)]}, {"latency_ns", link->latency_ns}});
      if (link->ns_per_byte > 0.0) list.back()["bandwidth_bytes_per_second"] = 1e9 / link->ns_per_byte;
    }
  }
  return list;
}

}  // namespace

std::string report_text(const std::vector<Visit>& visits, const std::vector<Finding>& findings,
                        const results::Look& look, const MeasuredLinks* links) {
  std::string text;
  for (const Visit& visit : visits)
    text +=
        results::painted(heading(visit), Ink::bold, look) + "\n" + findings_on(visit.host.name, findings, look) + "\n";
  const std::string common = findings_on("", findings, look);
  if (!common.empty()) text += results::painted("All hosts together", Ink::bold, look) + "\n" + common + "\n";
  if (links != nullptr) text += link_table(*links, look);
  return text + verdict(visits, findings) + "\n";
}

std::string report_json(const std::vector<Visit>& visits, const std::vector<Finding>& findings, const MeasuredLinks* links) {
  Json hosts = Json::array(), list = Json::array();
  for (const Visit& visit : visits) hosts.push_back(visit_tree(visit));
  for (const Finding& finding : findings) {
    list.push_back({{"host", finding.host},
                    {"check", finding.check},
                    {"level", level_name(finding.level)},
                    {"text", finding.text},
                    {"fix", finding.fix}});
  }
  Json report{{"schema", "edgelab-doctor/1"},
                    {"interfaces", proposed_interfaces(visits)},
                    {"hosts", std::move(hosts)},
                    {"findings", std::move(list)}};
  if (links != nullptr) report["links"] = links_tree(*links);
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace edgelab::batch::doctor
