// Which interfaces Open MPI would use, and which it should.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "batch/doctor/findings.hpp"

namespace edgelab::batch::doctor {
namespace {

using Kind = NetworkInterface::Kind;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from < list.size();) {
    const std::size_t end = std::min(list.find(',', from), list.size());
    if (end > from) parts.push_back(list.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

// As Open MPI reads its lists: names, or subnets that hold one of the addresses.
bool listed(const NetworkInterface& interface, const std::vector<std::string>& list) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
    if (entry == interface.name) return true;
    const std::optional<Ipv4> subnet = entry.find('/') == entry.npos ? std::nullopt : read_ipv4(entry);
    return subnet && std::any_of(interface.addresses.begin(), interface.addresses.end(),
                                 [&](const Ipv4& each) { return subnet->contains(each); });
  });
}

std::vector<std::string> included(const HostFacts& facts, const ClusterSpec& cluster) {
  return cluster.interfaces.empty() ? split(facts.mpi_include) : cluster.interfaces;
}

std::vector<const NetworkInterface*> used(const HostFacts& facts, const ClusterSpec& cluster) {
  const std::vector<std::string> include = included(facts, cluster);
  const std::vector<std::string> exclude =
      split(facts.mpi_exclude.empty() ? "127.0.0.1/8,sppp" : facts.mpi_exclude);  // Open MPI's own
  std::vector<const NetworkInterface*> found;
  for (const NetworkInterface& interface : facts.interfaces) {
    const bool wanted = include.empty() ? !listed(interface, exclude) : listed(interface, include);
    if (interface.up && !interface.addresses.empty() && wanted) found.push_back(&interface);
  }
  return found;
}

std::string speed_text(std::int64_t bits_per_second) {
  return bits_per_second % 1'000'000'000 == 0 ? fmt::format("{} Gbit/s", bits_per_second / 1'000'000'000)
                                              : fmt::format("{} Mbit/s", bits_per_second / 1'000'000);
}

std::string described(const NetworkInterface& interface) {
  std::string text = interface.name;
  for (const Ipv4& address : interface.addresses) text += " " + address.text();
  if (interface.kind == Kind::wireless) text += " (wireless)";
  if (interface.bits_per_second) text += " (" + speed_text(*interface.bits_per_second) + ")";
  return text;
}

std::string described(const std::vector<const NetworkInterface*>& interfaces) {
  std::vector<std::string> texts;
  for (const NetworkInterface* each : interfaces) texts.push_back(described(*each));
  return joined(texts);
}

std::vector<const Visit*> answered(const std::vector<Visit>& visits) {
  std::vector<const Visit*> found;
  for (const Visit& visit : visits) {
    if (visit.facts) found.push_back(&visit);
  }
  return found;
}

struct Candidate {
  const NetworkInterface* interface;
  Ipv4 address;
};

// Interfaces of a host whose traffic can reach another host, with an address in `network`, or in any if there is none.
std::vector<Candidate> candidates(const HostFacts& facts, const std::optional<Ipv4>& network) {
  std::vector<Candidate> found;
  for (const NetworkInterface& interface : facts.interfaces) {
    if (!interface.up || (interface.kind != Kind::wired && interface.kind != Kind::wireless)) continue;
    for (const Ipv4& address : interface.addresses) {
      if (!network || address.network() == *network) found.push_back({&interface, address});
    }
  }
  return found;
}

struct CommonNetwork {
  Ipv4 network;
  bool wired = true;               // on every host
  bool ambiguous = false;          // two interfaces of one host are in it
  std::vector<std::string> names;  // of the interface that each host had best use
};

// Where two hosts have the same address it is not one network but two alike, as docker0's is on every host.
std::optional<CommonNetwork> common_to_all(const Ipv4& network, const std::vector<const Visit*>& visits) {
  CommonNetwork common{network, true, false, {}};
  std::vector<std::uint32_t> seen;
  for (const Visit* visit : visits) {
    const std::vector<Candidate> own = candidates(*visit->facts, network);
    if (own.empty()) return {};
    const auto wired =
        std::find_if(own.begin(), own.end(), [](const Candidate& each) { return each.interface->kind == Kind::wired; });
    common.wired = common.wired && wired != own.end();
    common.names.push_back((wired != own.end() ? *wired : own.front()).interface->name);
    common.ambiguous = common.ambiguous || std::any_of(own.begin(), own.end(), [&](const Candidate& each) {
                         return each.interface != own[0].interface;
                       });
    for (const Candidate& each : own) {
      if (std::find(seen.begin(), seen.end(), each.address.address) != seen.end()) return {};
    }
    for (const Candidate& each : own) seen.push_back(each.address.address);
  }
  return common;
}

std::vector<CommonNetwork> common_networks(const std::vector<const Visit*>& visits) {
  std::vector<CommonNetwork> all;
  for (const Candidate& each : candidates(*visits.front()->facts, std::nullopt)) {
    const auto known = [&](const CommonNetwork& other) { return other.network == each.address.network(); };
    if (std::any_of(all.begin(), all.end(), known)) continue;
    if (const auto common = common_to_all(each.address.network(), visits)) all.push_back(*common);
  }
  if (std::any_of(all.begin(), all.end(), [](const CommonNetwork& each) { return each.wired; }))
    std::erase_if(all, [](const CommonNetwork& each) { return !each.wired; });
  return all;
}

// Interfaces that every host would have used but for the list.
std::vector<std::string> left_out(const std::vector<const Visit*>& visits, const std::vector<std::string>& include) {
  std::vector<std::string> names;
  for (const Visit* visit : visits) {
    for (const NetworkInterface& each : visit->facts->interfaces) {
      const bool known = std::find(names.begin(), names.end(), each.name) != names.end();
      if (each.up && each.kind != Kind::loopback && !each.addresses.empty() && !listed(each, include) && !known)
        names.push_back(each.name);
    }
  }
  return names;
}

std::string how_to_set(const std::vector<std::string>& proposed) {
  if (proposed.empty()) return "say in the host file which interfaces reach the other hosts: interfaces: [NAME]";
  return "write interfaces: [" + joined(proposed) + "] into the host file";
}

// What of the used interfaces can hang mpirun, on one host.
Finding use_finding(const Visit& visit, const std::vector<const Visit*>& all, const ClusterSpec& cluster,
                    const std::vector<std::string>& proposed) {
  const std::string& host = visit.host.name;
  const std::vector<const NetworkInterface*> own = used(*visit.facts, cluster);
  const std::vector<std::string> include = included(*visit.facts, cluster);
  const std::string text = "Open MPI would use " + (own.empty() ? "none" : described(own));
  const auto made_up =
      std::find_if(own.begin(), own.end(), [](const NetworkInterface* each) { return each->kind == Kind::made_up; });
  if (all.size() < 2) {
    if (made_up == own.end())
      return {host, "network", Level::ok, own.empty() ? "no interface is up but loopback: enough for one host" : text,
              ""};
    return {host, "network", Level::note, text + "; with other hosts, " + (*made_up)->name + " would hang mpirun",
            how_to_set(proposed)};
  }
  if (own.empty()) {
    const std::string why =
        include.empty() ? ": none is up with an address" : ": " + joined(include) + " names none that is up here";
    return {host, "network", Level::bad, text + why, how_to_set(proposed)};
  }
  if (made_up == own.end()) return {host, "network", Level::ok, text, ""};
  const Ipv4 network = (*made_up)->addresses.front().network();
  const bool shared = std::any_of(all.begin(), all.end(), [&](const Visit* other) {
    const auto theirs = used(*other->facts, cluster);
    return other != &visit && std::any_of(theirs.begin(), theirs.end(), [&](const NetworkInterface* each) {
             return each->addresses.front().network() == network;
           });
  });
  return {host, "network", shared ? Level::bad : Level::warn,
          text + fmt::format("; {} leads to no other host{}", (*made_up)->name,
                             shared ? ", though others have the same: mpirun hangs" : ", and may hang mpirun"),
          how_to_set(proposed)};
}

// Slow, half-duplex and wireless links, and packets of unlike size.
std::vector<Finding> link_findings(const std::vector<const Visit*>& all, const ClusterSpec& cluster) {
  std::map<std::uint32_t, std::pair<std::int64_t, int>> best;  // by network: the fastest link, the smallest MTU
  for (const Visit* visit : all) {
    for (const NetworkInterface* each : used(*visit->facts, cluster)) {
      auto& [speed, mtu] = best.try_emplace(each->addresses.front().network().address, 0, each->mtu).first->second;
      speed = std::max(speed, each->bits_per_second.value_or(0));
      mtu = std::min(mtu, each->mtu);
    }
  }
  std::vector<Finding> findings;
  for (const Visit* visit : all) {
    for (const NetworkInterface* each : used(*visit->facts, cluster)) {
      const auto& [speed, mtu] = best.at(each->addresses.front().network().address);
      const std::string& host = visit->host.name;
      if (each->bits_per_second.value_or(speed) < speed)
        findings.push_back({host, "link", Level::warn,
                            fmt::format("{} runs at {}, other hosts' links at {}", each->name,
                                        speed_text(*each->bits_per_second), speed_text(speed)),
                            "try another cable and another port of the switch"});
      if (each->half_duplex)
        findings.push_back({host, "link", Level::warn,
                            each->name + " is half duplex: it can't send and receive at once",
                            "try another cable and another port of the switch"});
      if (each->kind == Kind::wireless)
        findings.push_back({host, "link", Level::note, each->name + " is wireless: times over it scatter",
                            "use a cable for measurements"});
      if (each->mtu > mtu)
        findings.push_back(
            {host, "link", Level::warn,
             fmt::format("{} sends packets of {} bytes, and another host takes {} at most: large messages hang",
                         each->name, each->mtu, mtu),
             fmt::format("sudo ip link set {} mtu {}", each->name, mtu)});
    }
  }
  return findings;
}

// Two names of one host, which Open MPI would take for two.
std::vector<Finding> twin_findings(const std::vector<const Visit*>& all) {
  std::vector<Finding> findings;
  std::map<std::tuple<std::string, std::uint32_t>, std::string> seen;
  for (const Visit* visit : all) {
    for (const Candidate& each : candidates(*visit->facts, std::nullopt)) {
      const auto [first, fresh] =
          seen.emplace(std::tuple(visit->facts->host_name, each.address.address), visit->host.name);
      if (fresh || first->second == visit->host.name) continue;
      findings.push_back({visit->host.name, "network", Level::bad,
                          fmt::format("it is the same machine as {}: both are called {} and have the address {}",
                                      first->second, visit->facts->host_name, each.address.text()),
                          "look at /etc/hosts, or list the machine once with the ranks of both"});
      break;
    }
  }
  return findings;
}

Finding proposal_finding(const std::vector<const Visit*>& all, const ClusterSpec& cluster,
                         const std::vector<std::string>& proposed) {
  if (proposed.empty())
    return {"", "network", Level::bad, "no network is common to all hosts",
            "give all hosts addresses in one network, on interfaces that reach the switch"};
  const std::vector<std::string> out = left_out(all, proposed);
  const std::string text = "btl_tcp_if_include = " + joined(proposed) +
                           (out.empty() ? "" : " is common to all hosts; it leaves out " + joined(out));
  if (!cluster.interfaces.empty())
    return {"", "network", Level::ok, "interfaces: [" + joined(cluster.interfaces) + "] is set; " + text, ""};
  return {"", "network", Level::note, text, how_to_set(proposed)};
}

}  // namespace

std::vector<std::string> proposed_interfaces(const std::vector<Visit>& visits) {
  const std::vector<const Visit*> all = answered(visits);
  if (all.size() < 2) return {};
  std::vector<std::string> proposed;
  for (const CommonNetwork& common : common_networks(all)) {
    const bool one_name = std::all_of(common.names.begin(), common.names.end(),
                                      [&](const std::string& name) { return name == common.names[0]; });
    // Where Wi-Fi and cable are in one network the network would mean both, and only the interface's name tells them apart.
    proposed.push_back(common.ambiguous && one_name ? common.names[0] : common.network.text());
  }
  return proposed;
}

std::vector<Finding> network_findings(const std::vector<Visit>& visits, const ClusterSpec& cluster) {
  const std::vector<const Visit*> all = answered(visits);
  const std::vector<std::string> proposed = proposed_interfaces(visits);
  std::vector<Finding> findings;
  for (const Visit* visit : all) findings.push_back(use_finding(*visit, all, cluster, proposed));
  if (all.size() < 2) return findings;
  for (std::vector<Finding> more : {link_findings(all, cluster), twin_findings(all)})
    findings.insert(findings.end(), more.begin(), more.end());
  findings.push_back(proposal_finding(all, cluster, proposed));
  return findings;
}

}  // namespace edgelab::batch::doctor
