#include "batch/doctor/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/doctor/facts_json.hpp"

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

}  // namespace

std::string report_text(const std::vector<Visit>& visits, const std::vector<Finding>& findings,
                        const results::Look& look) {
  std::string text;
  for (const Visit& visit : visits)
    text +=
        results::painted(heading(visit), Ink::bold, look) + "\n" + findings_on(visit.host.name, findings, look) + "\n";
  const std::string common = findings_on("", findings, look);
  if (!common.empty()) text += results::painted("All hosts together", Ink::bold, look) + "\n" + common + "\n";
  return text + verdict(visits, findings) + "\n";
}

std::string report_json(const std::vector<Visit>& visits, const std::vector<Finding>& findings) {
  Json hosts = Json::array(), list = Json::array();
  for (const Visit& visit : visits) hosts.push_back(visit_tree(visit));
  for (const Finding& finding : findings) {
    list.push_back({{"host", finding.host},
                    {"check", finding.check},
                    {"level", level_name(finding.level)},
                    {"text", finding.text},
                    {"fix", finding.fix}});
  }
  const Json report{{"schema", "edgelab-doctor/1"},
                    {"interfaces", proposed_interfaces(visits)},
                    {"hosts", std::move(hosts)},
                    {"findings", std::move(list)}};
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace edgelab::batch::doctor
