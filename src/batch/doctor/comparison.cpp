// One host beside the others: programs, libraries, processors.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "batch/doctor/findings.hpp"

namespace edgelab::batch::doctor {
namespace {

std::string joined(const std::vector<std::string>& words, const char* between = ", ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::vector<const Visit*> answered(const std::vector<Visit>& visits) {
  std::vector<const Visit*> found;
  for (const Visit& visit : visits) {
    if (visit.facts) found.push_back(&visit);
  }
  return found;
}

// What most hosts have; of equally many the first host's.
template <class Get>
std::string usual(const std::vector<const Visit*>& visits, Get get) {
  std::map<std::string, int> counts;
  for (const Visit* visit : visits) ++counts[get(*visit->facts)];
  std::string best;
  for (const Visit* visit : visits) {
    const std::string value = get(*visit->facts);
    if (best.empty() || counts[value] > counts[best]) best = value;
  }
  return best;
}

std::string version_of(const HostFacts& facts, const std::string& library) {
  for (const auto& [name, version] : facts.program.libraries) {
    if (name == library) return version;
  }
  return "unknown";
}

struct Usual {
  std::string architecture, build, sha256, path;
};

Finding program(const Visit& visit, const Usual& most) {
  const HostFacts& facts = *visit.facts;
  const std::string& host = visit.host.name;
  const char* copy = "copy one program to all hosts: ./lab hosts FILE";
  if (facts.architecture != most.architecture)
    return {host, "program", Level::bad,
            fmt::format("the processor is of the kind {}, the other hosts' {}: Open MPI does not mix them",
                        facts.architecture, most.architecture),
            "leave it out, or run it by a host file of its own"};
  if (facts.program.build != most.build)
    return {host, "program", Level::bad,
            fmt::format("edgelab {} where most hosts have {}: its ranks would refuse each other", facts.program.build,
                        most.build),
            copy};
  if (facts.program.path != most.path)
    return {host, "program", Level::bad,
            fmt::format("the program is {} here and {} on most hosts, and mpirun starts it by one path",
                        facts.program.path, most.path),
            "start edgelab from where ./lab hosts put it, with an absolute folder: or one user on all hosts, so that "
            "the paths are the same"};
  if (facts.program.sha256 != most.sha256)
    return {host, "program", Level::warn,
            fmt::format("edgelab {}, but built differently than on most hosts ({:.8} and {:.8})", facts.program.build,
                        facts.program.sha256, most.sha256),
            copy};
  return {host, "program", Level::ok,
          fmt::format("edgelab {} ({:.8}) as {}", facts.program.build, facts.program.sha256, facts.program.path), ""};
}

// How much a difference matters: Open MPI's parts speak one version among themselves; oneDNN decides numbers and times;
// HDF5 only writes on one host.
Level level_of_difference(const std::string& library) {
  if (library == "MPI") return Level::bad;
  return library == "oneDNN" ? Level::warn : Level::note;
}

Finding libraries(const Visit& visit, const std::vector<const Visit*>& all) {
  Level worst = Level::ok;
  std::vector<std::string> versions, differing;
  for (const auto& [name, version] : visit.facts->program.libraries) {
    const std::string most = usual(all, [&](const HostFacts& facts) { return version_of(facts, name); });
    versions.push_back(name + " " + version);
    if (version == most) continue;
    differing.push_back(fmt::format("{} {} where most hosts have {}", name, version, most));
    worst = std::max(worst, level_of_difference(name));
  }
  if (differing.empty()) return {visit.host.name, "libraries", Level::ok, joined(versions), ""};
  return {visit.host.name, "libraries", worst, joined(differing, "; "),
          "bring all hosts to the same release: sudo apt-get update && sudo apt-get upgrade"};
}

}  // namespace

std::vector<Finding> program_findings(const std::vector<Visit>& visits) {
  const std::vector<const Visit*> all = answered(visits);
  std::vector<Finding> findings;
  if (all.empty()) return findings;
  Usual most;
  most.architecture = usual(all, [](const HostFacts& facts) { return facts.architecture; });
  most.build = usual(all, [](const HostFacts& facts) { return facts.program.build; });
  most.path = usual(all, [](const HostFacts& facts) { return facts.program.path; });
  most.sha256 = usual(all, [](const HostFacts& facts) { return facts.program.sha256; });
  for (const Visit* visit : all) {
    findings.push_back(program(*visit, most));
    findings.push_back(libraries(*visit, all));
  }
  return findings;
}

std::vector<Finding> cpu_findings(const std::vector<Visit>& visits) {
  const std::vector<const Visit*> all = answered(visits);
  std::map<std::string, std::size_t> counts;
  for (const Visit* visit : all) {
    for (const std::string& feature :
         std::set<std::string>(visit->facts->features.begin(), visit->facts->features.end()))
      ++counts[feature];
  }
  constexpr std::size_t kMostNamed = 12;
  std::vector<Finding> findings;
  for (const Visit* visit : all) {
    const std::set<std::string> own(visit->facts->features.begin(), visit->facts->features.end());
    std::vector<std::string> lacking;
    for (const auto& [feature, count] : counts) {
      // What most have and this one lacks: of two unlike hosts the poorer one is named.
      if (!own.contains(feature) && count * 2 >= all.size()) lacking.push_back(feature);
    }
    if (lacking.empty()) continue;
    const std::size_t more = lacking.size() > kMostNamed ? lacking.size() - kMostNamed : 0;
    lacking.resize(lacking.size() - more);
    findings.push_back({visit->host.name, "cpu", Level::note,
                        fmt::format("the processor lacks what {} have: {}{}", all.size() == 2 ? "others" : "most hosts",
                                    joined(lacking), more ? fmt::format(" and {} more", more) : ""),
                        "jobs that need a feature can say so: requires: {features: [" + lacking.front() + "]}"});
  }
  return findings;
}

}  // namespace edgelab::batch::doctor
