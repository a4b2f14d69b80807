#include "batch/doctor/links.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "results/text/units.hpp"

namespace edgelab::batch::doctor {
namespace {

using Pair = std::pair<int, int>;

// Slower than the good ones by this much is worth a word: more than scatter, less than what 100 Mbit/s are to 1 Gbit/s.
constexpr double kSlowRate = 1.5, kSlowLatency = 3.0, kLatencyThatMatters = 200'000.0;

// What a quarter of the links is better than: of three hosts one may be slow, and two thirds of the links with it.
double good(std::vector<double> costs) {
  std::sort(costs.begin(), costs.end());
  return costs[costs.size() / 4];
}

std::string rate_text(double ns_per_byte) { return rate_text_of({0.0, ns_per_byte}); }

// Costs from the first to the last that is to be named: times begin with the shortest, rates with the lowest.
std::string span(double first, double last, std::string (*text)(double)) {
  return text(first) == text(last) ? text(first) : text(first) + " to " + text(last);
}

// Links that are slow, in one of their two properties.
class SlowLinks {
 public:
  SlowLinks(const MeasuredLinks& measured, double parallel::Link::*cost, double factor, double least)
      : measured_(measured), cost_(cost) {
    std::vector<double> costs;
    each([&](Pair, const parallel::Link& link) { costs.push_back(link.*cost); });
    if (costs.empty()) return;
    good_ = good(costs);
    each([&](Pair pair, const parallel::Link& link) {
      if (link.*cost > factor * good_ && link.*cost > good_ + least) slow_.insert(pair);
    });
  }

  // "check", and how a cost reads.
  std::vector<Finding> findings(std::string (*text)(double), const std::string& fix) const {
    std::vector<Finding> all;
    std::set<Pair> left = slow_;
    const int hosts = static_cast<int>(measured_.hosts.size());
    for (int host = 0; host < hosts && hosts > 2; ++host) {
      std::set<Pair> own;
      each([&](Pair pair, const parallel::Link&) {
        if (pair.first == host || pair.second == host) own.insert(pair);
      });
      if (own.empty() || !std::includes(slow_.begin(), slow_.end(), own.begin(), own.end())) continue;
      all.push_back({name(host), "link", Level::warn,
                     fmt::format("every link from and to it is slow: {} at best, where others have {}",
                                 text(std::ranges::min(costs_of(own))), text(good_)),
                     fix});
      for (const Pair& pair : own) left.erase(pair);
    }
    for (const Pair& pair : left) {
      all.push_back({name(pair.first), "link", Level::warn,
                     fmt::format("the link to {} is slow: {}, where others have {}", name(pair.second),
                                 text(*costs_of({pair}).begin()), text(good_)),
                     fix});
    }
    return all;
  }

 private:
  const std::string& name(int host) const { return measured_.hosts[static_cast<std::size_t>(host)]; }

  template <class Function>
  void each(Function function) const {
    const int hosts = static_cast<int>(measured_.hosts.size());
    for (int from = 0; from < hosts; ++from) {
      for (int to = 0; to < hosts; ++to) {
        if (const auto& link = measured_.of(from, to)) function(Pair{from, to}, *link);
      }
    }
  }

  std::vector<double> costs_of(const std::set<Pair>& pairs) const {
    std::vector<double> costs;
    for (const Pair& pair : pairs) costs.push_back((*measured_.of(pair.first, pair.second)).*cost_);
    return costs;
  }

  const MeasuredLinks& measured_;
  double parallel::Link::*cost_;
  double good_ = 0.0;
  std::set<Pair> slow_;
};

Finding summary(const MeasuredLinks& measured) {
  std::vector<double> latencies, rates;
  for (const std::optional<parallel::Link>& link : measured.links) {
    if (!link) continue;
    latencies.push_back(link->latency_ns);
    rates.push_back(link->ns_per_byte);
  }
  if (latencies.empty()) return {"", "links", Level::bad, "no link could be measured", "see above"};
  const auto [shortest, longest] = std::minmax_element(latencies.begin(), latencies.end());
  const auto [fastest, slowest] = std::minmax_element(rates.begin(), rates.end());
  return {"", "links", Level::ok,
          fmt::format("{} measured: {} one way, {}", latencies.size(),
                      span(*shortest, *longest, results::duration_text), span(*slowest, *fastest, rate_text)),
          ""};
}

}  // namespace

std::string rate_text_of(const parallel::Link& link) {
  return link.ns_per_byte > 0.0 ? results::figures_text(8e3 / link.ns_per_byte, 3) + " Mbit/s" : "any rate";
}

std::vector<Finding> measured_link_findings(const MeasuredLinks& measured) {
  std::vector<Finding> findings;
  for (const auto& [from, to] : measured.stuck) {
    findings.push_back(
        {measured.hosts[static_cast<std::size_t>(from)], "link", Level::bad,
         fmt::format("messages to {} got stuck", measured.hosts[static_cast<std::size_t>(to)]),
         "compare the packet sizes of both (ip link show), and look for a firewall between them: MPI uses any port"});
  }
  if (!measured.failure.empty())
    findings.push_back({"", "links", Level::bad, measured.failure, "mpirun must come through before a run can"});
  for (std::vector<Finding> more :
       {SlowLinks(measured, &parallel::Link::ns_per_byte, kSlowRate, 0.0)
            .findings(rate_text, "try another cable and another port of the switch"),
        SlowLinks(measured, &parallel::Link::latency_ns, kSlowLatency, kLatencyThatMatters)
            .findings(results::duration_text, "a cable instead of Wi-Fi; and see what else runs there")}) {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  findings.push_back(summary(measured));
  return findings;
}

}  // namespace edgelab::batch::doctor
