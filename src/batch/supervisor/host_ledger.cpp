#include "batch/supervisor/host_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.hpp"

namespace edgelab::batch {
namespace {

using nlohmann::json;

constexpr const char* kFact = "left_out";

std::string body_of(const std::string& host, const std::string& why) {
  return json{{"host", host}, {"why", why}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

HostLedger::HostLedger(std::vector<HostSpec> hosts, std::chrono::nanoseconds patience) : patience_(patience) {
  for (HostSpec& host : hosts) {
    entries_.emplace_back();
    entries_.back().spec = std::move(host);
  }
}

HostLedger::Entry* HostLedger::find(const std::string& host) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.spec.name == host; });
  return found == entries_.end() ? nullptr : &*found;
}

void HostLedger::recall(const std::vector<results::Fact>& facts) {
  for (const results::Fact& fact : facts) {
    if (fact.type != kFact) continue;
    const json body = json::parse(fact.body, nullptr, false);
    if (!body.is_object() || !body.contains("host") || !body.contains("why"))
      throw Error(ErrorKind::data, "a fact of the journal can't be read").got(fact.type + ": " + fact.body);
    Entry* entry = find(body["host"]);
    if (entry != nullptr && entry != &entries_.front()) entry->out_for_good = body["why"];
  }
}

std::vector<HostSpec> HostLedger::to_ask() const {
  std::vector<HostSpec> hosts;
  for (const Entry& entry : entries_) {
    if (&entry != &entries_.front() && entry.out_for_good.empty()) hosts.push_back(entry.spec);
  }
  return hosts;
}

std::vector<HostSpec> HostLedger::to_ask_again(std::int64_t now) const {
  std::vector<HostSpec> hosts;
  for (const Entry& entry : entries_) {
    if (entry.is_away() && entry.ask_next_ns <= now) hosts.push_back(entry.spec);
  }
  return hosts;
}

std::optional<std::int64_t> HostLedger::next_ask() const {
  std::optional<std::int64_t> next;
  for (const Entry& entry : entries_) {
    if (entry.is_away()) next = std::min(next.value_or(entry.ask_next_ns), entry.ask_next_ns);
  }
  return next;
}

void HostLedger::answered(const std::string& host, bool reachable, std::int64_t now) {
  Entry* entry = find(host);
  if (entry == nullptr) return;
  if (reachable) {
    entry->asks = 0;
    return;
  }
  if (entry->asks == 0) {
    entry->away_since_ns = now;
    ++entry->losses;
  }
  entry->ask_next_ns = now + std::min(kFirstPauseNs << std::min(entry->asks, 10), kLongestPauseNs);
  ++entry->asks;
  const auto away = std::chrono::nanoseconds(now - entry->away_since_ns);
  if (away >= patience_ && entry->asks >= kFewestAsks) {
    leave_out(*entry, fmt::format("it could not be reached for {} min", std::chrono::duration_cast<std::chrono::minutes>(away).count()));
  }
  if (entry->losses >= kMostLosses) leave_out(*entry, fmt::format("it was lost {} times", entry->losses));
}

void HostLedger::cannot_start(const std::string& host, const std::string& why) {
  if (Entry* entry = find(host)) leave_out(*entry, "edgelab can't be started there: " + why);
}

void HostLedger::crashed(const std::string& host, const std::string& job) {
  Entry* entry = find(host);
  if (entry == nullptr) return;
  entry->crashing_jobs.insert(job);
  if (entry->crashing_jobs.size() >= kMostCrashingJobs) leave_out(*entry, fmt::format("{} different jobs crashed there", entry->crashing_jobs.size()));
}

void HostLedger::leave_out(Entry& entry, std::string why) {
  if (&entry == &entries_.front() || !entry.out_for_good.empty()) return;
  entry.out_for_good = std::move(why);
  news_.push_back({kFact, body_of(entry.spec.name, entry.out_for_good)});
}

std::vector<HostSpec> HostLedger::taking_part() const {
  std::vector<HostSpec> hosts;
  for (const Entry& entry : entries_) {
    if (entry.out_for_good.empty() && entry.asks == 0) hosts.push_back(entry.spec);
  }
  return hosts;
}

std::vector<HostSpec> HostLedger::away() const {
  std::vector<HostSpec> hosts;
  for (const Entry& entry : entries_) {
    if (entry.is_away()) hosts.push_back(entry.spec);
  }
  return hosts;
}

std::map<std::string, std::string> HostLedger::left_out() const {
  std::map<std::string, std::string> hosts;
  for (const Entry& entry : entries_) {
    if (!entry.out_for_good.empty()) {
      hosts[entry.spec.name] = entry.out_for_good + "; for good";
    } else if (entry.asks > 0) {
      hosts[entry.spec.name] = "it can't be reached; for now";
    }
  }
  return hosts;
}

std::vector<results::Fact> HostLedger::take_news() { return std::exchange(news_, {}); }

}  // namespace edgelab::batch
