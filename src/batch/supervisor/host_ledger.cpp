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

HostLedger::HostLedger(std::vector<HostSpec> hosts) {
  for (HostSpec& host : hosts) entries_.push_back({std::move(host), 0, 0, {}, {}});
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

void HostLedger::answered(const std::string& host, bool reachable) {
  Entry* entry = find(host);
  if (entry == nullptr) return;
  entry->failures_in_a_row = reachable ? 0 : entry->failures_in_a_row + 1;
  if (reachable) return;
  ++entry->failures;
  if (entry->failures_in_a_row >= kMostInARow) leave_out(*entry, fmt::format("it could not be reached {} times in a row", entry->failures_in_a_row));
  if (entry->failures >= kMostInAll) leave_out(*entry, fmt::format("it could not be reached {} times", entry->failures));
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
    if (entry.out_for_good.empty() && entry.failures_in_a_row == 0) hosts.push_back(entry.spec);
  }
  return hosts;
}

std::map<std::string, std::string> HostLedger::left_out() const {
  std::map<std::string, std::string> hosts;
  for (const Entry& entry : entries_) {
    if (!entry.out_for_good.empty()) {
      hosts[entry.spec.name] = entry.out_for_good + "; for good";
    } else if (entry.failures_in_a_row > 0) {
      hosts[entry.spec.name] = "it can't be reached; for now";
    }
  }
  return hosts;
}

std::vector<results::Fact> HostLedger::take_news() { return std::exchange(news_, {}); }

}  // namespace edgelab::batch
