#pragma once

#include <string>
#include <vector>

#include "batch/doctor/findings.hpp"

namespace edgelab::batch::doctor::test {

inline NetworkInterface wired(const std::string& name, const std::string& address, std::int64_t megabits = 1000) {
  return {name, NetworkInterface::Kind::wired, true, 1500, megabits * 1'000'000, false, {read_ipv4(address).value()}};
}

inline NetworkInterface made_up(const std::string& name, const std::string& address) {
  return {name, NetworkInterface::Kind::made_up, true, 1500, {}, false, {read_ipv4(address).value()}};
}

inline NetworkInterface wireless(const std::string& name, const std::string& address) {
  return {name, NetworkInterface::Kind::wireless, true, 1500, {}, false, {read_ipv4(address).value()}};
}

// A healthy Raspberry Pi 5.
inline HostFacts pi(const std::string& name, const std::string& address) {
  HostFacts facts;
  facts.program = {"/home/pi/edgelab/bin/edgelab",
                   std::string(64, 'a'),
                   "0.1.0 abc",
                   {{"MPI", "Open MPI v4.1.4"}, {"HDF5", "1.10.8"}, {"oneDNN", "3.7.2"}, {"glibc", "2.36"}}};
  facts.host_name = name;
  facts.architecture = "aarch64";
  facts.cpu_model = "Raspberry Pi 5 Model B";
  facts.kernel = "Linux 6.6";
  facts.operating_system = "Debian GNU/Linux 12";
  facts.governor = "performance";
  facts.features = {"fp", "asimd", "asimddp"};
  facts.cores = 4;
  facts.memory = {8'000'000'000, 7'000'000'000, 0, 0};
  facts.thermal = {48.5, 0, {}};
  facts.disk_free_bytes = 20'000'000'000;
  facts.interfaces = {wired("eth0", address)};
  return facts;
}

inline Visit answered(const HostFacts& facts) {
  Visit visit;
  visit.host = {facts.host_name, 4, "pi"};
  visit.outcome = Visit::Outcome::answered;
  visit.facts = facts;
  visit.architecture = facts.architecture;
  visit.clock = ClockOffset{1'000'000, 2'000'000};
  return visit;
}

inline std::vector<Visit> four_pis() {
  std::vector<Visit> visits;
  for (int i = 1; i <= 4; ++i)
    visits.push_back(answered(pi("pi" + std::to_string(i), "192.168.1.1" + std::to_string(i) + "/24")));
  return visits;
}

inline ClusterSpec cluster_of(const std::vector<Visit>& visits, std::vector<std::string> interfaces = {}) {
  ClusterSpec cluster;
  for (const Visit& visit : visits) cluster.hosts.push_back(visit.host);
  cluster.interfaces = std::move(interfaces);
  return cluster;
}

// "pi1 warn governor: TEXT → FIX" for each that is not ok.
inline std::vector<std::string> complaints(const std::vector<Finding>& findings) {
  std::vector<std::string> lines;
  for (const Finding& each : findings) {
    if (each.level == Level::ok) continue;
    lines.push_back((each.host.empty() ? "all" : each.host) + " " + std::string(level_name(each.level)) + " " +
                    each.check + ": " + each.text + (each.fix.empty() ? "" : " → " + each.fix));
  }
  return lines;
}

inline std::vector<std::string> complaints(const std::vector<Visit>& visits,
                                           std::vector<std::string> interfaces = {"192.168.1.0/24"}) {
  return complaints(findings_of(cluster_of(visits, std::move(interfaces)), visits));
}

}  // namespace edgelab::batch::doctor::test
