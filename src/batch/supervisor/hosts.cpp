#include "batch/supervisor/hosts.hpp"

#include <time.h>

#include <algorithm>
#include <optional>

#include "batch/doctor/remote_shell.hpp"
#include "batch/doctor/visit.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/machine.hpp"
#include "core/network_interfaces.hpp"

namespace edgelab::batch {
namespace {

constexpr std::int64_t kAnswerNs = 10'000'000'000;

}  // namespace

doctor::HostFacts own_facts() {
  doctor::HostFacts own;
  own.host_name = this_machine().host_name;
  own.interfaces = read_interfaces("/", interface_addresses());
  return own;
}

ClusterSpec with_this_machine_first(ClusterSpec cluster) {
  const doctor::HostFacts facts = own_facts();
  const auto own = std::find_if(cluster.hosts.begin(), cluster.hosts.end(), [&](const HostSpec& host) { return doctor::is_this_machine(host.name, facts); });
  if (own == cluster.hosts.end()) {
    throw Error(ErrorKind::environment, "this machine is none of the cluster's hosts, and rank 0 must run where the results are kept")
        .got(facts.host_name)
        .hint("submit on one of the hosts, or list this machine too, by its host name or an address");
  }
  std::rotate(cluster.hosts.begin(), own, own + 1);
  return cluster;
}

HostQuestion::HostQuestion(const std::vector<HostSpec>& hosts) : until_ns_(now_ns() + kAnswerNs) {
  for (const HostSpec& host : hosts) {
    std::vector<std::string> arguments = doctor::remote_shell_words();
    arguments.push_back(host.user.empty() ? host.name : host.user + "@" + host.name);
    arguments.push_back("true");
    answers_[host.name] = false;
    open_[host.name] = std::make_unique<Subprocess>(arguments);
  }
}

bool HostQuestion::over() {
  std::erase_if(open_, [&](auto& entry) {
    entry.second->read_output();
    const std::optional<int> code = entry.second->ended();
    if (code) answers_[entry.first] = *code == 0;
    return code.has_value();
  });
  if (now_ns() >= until_ns_) open_.clear();
  return open_.empty();
}

std::map<std::string, bool> reachable(const std::vector<HostSpec>& hosts) {
  HostQuestion question(hosts);
  while (!question.over()) {
    const timespec pause{0, 10'000'000};
    nanosleep(&pause, nullptr);
  }
  return question.answers();
}

}  // namespace edgelab::batch
