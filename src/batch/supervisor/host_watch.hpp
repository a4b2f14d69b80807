#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "batch/supervisor/host_ledger.hpp"
#include "batch/supervisor/hosts.hpp"

namespace edgelab::batch {

// Asks the hosts of a cluster whether they are there, and keeps the ledger of them.
class HostWatch {
 public:
  // `say` gets a line for the user about each host that is left out or is back.
  HostWatch(const ClusterSpec& cluster, std::chrono::nanoseconds patience, std::function<void(const std::string&)> say);

  HostLedger& ledger() { return ledger_; }
  const HostLedger& ledger() const { return ledger_; }

  // Asks all that are in question; 10 s at most. In an allocation of Slurm none is: Slurm ends a job that has lost a node, and
  // queues it again, and its nodes may well refuse ssh.
  void ask();
  // Asks those that are away whose turn has come, without waiting: for every turn of a loop. True if one of them is back.
  bool look_for_the_lost();
  // Who is left out, each once.
  void say_news();

 private:
  bool allocated_;
  std::function<void(const std::string&)> say_;
  HostLedger ledger_;
  std::unique_ptr<HostQuestion> question_;
  std::set<std::string> said_;
};

}  // namespace edgelab::batch
