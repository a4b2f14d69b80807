#include "batch/supervisor/host_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/clock.hpp"

namespace edgelab::batch {

HostWatch::HostWatch(const ClusterSpec& cluster, std::chrono::nanoseconds patience, std::function<void(const std::string&)> say)
    : allocated_(cluster.allocated), say_(std::move(say)), ledger_(cluster.hosts, patience) {}

void HostWatch::ask() {
  question_.reset();
  if (allocated_) return;
  for (const auto& [host, answers] : reachable(ledger_.to_ask())) ledger_.answered(host, answers, now_ns());
  say_news();
}

bool HostWatch::look_for_the_lost() {
  if (allocated_) return false;
  if (!question_) {
    const std::vector<HostSpec> hosts = ledger_.to_ask_again(now_ns());
    if (!hosts.empty()) question_ = std::make_unique<HostQuestion>(hosts);
  }
  if (!question_ || !question_->over()) return false;
  bool back = false;
  for (const auto& [host, answers] : question_->answers()) {
    ledger_.answered(host, answers, now_ns());
    if (answers) say_(fmt::format("{} answers again", host));
    back = back || answers;
  }
  question_.reset();
  say_news();
  return back;
}

void HostWatch::say_news() {
  const std::map<std::string, std::string> left_out = ledger_.left_out();
  for (const auto& [host, why] : left_out) {
    if (said_.insert(host + why).second) say_(fmt::format("{} is left out: {}", host, why));
  }
  // One that was back is told of anew.
  std::erase_if(said_, [&](const std::string& said) {
    return std::none_of(left_out.begin(), left_out.end(), [&](const auto& entry) { return entry.first + entry.second == said; });
  });
}

}  // namespace edgelab::batch
