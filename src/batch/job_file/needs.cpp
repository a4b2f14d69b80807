#include "batch/job_file/needs.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <deque>
#include <iterator>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

namespace edgelab::batch {
namespace {

// Edges go from a job to what it needs.
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

Graph graph_of(const std::vector<std::vector<std::size_t>>& needs) {
  Graph graph(needs.size());
  for (std::size_t job = 0; job < needs.size(); ++job) {
    for (const std::size_t needed : needs[job]) boost::add_edge(job, needed, graph);
  }
  return graph;
}

// The shortest way from `first` back to itself; empty if there is none.
std::vector<std::size_t> shortest_cycle(const std::vector<std::vector<std::size_t>>& needs, std::size_t first) {
  std::vector<std::size_t> came_from(needs.size(), kNone);
  std::deque<std::size_t> open{first};
  while (!open.empty()) {
    const std::size_t job = open.front();
    open.pop_front();
    for (const std::size_t needed : needs[job]) {
      if (needed == first) {
        std::vector<std::size_t> cycle;
        for (std::size_t at = job; at != first; at = came_from[at]) cycle.push_back(at);
        cycle.push_back(first);
        std::reverse(cycle.begin(), cycle.end());
        return cycle;
      }
      if (came_from[needed] == kNone) {
        came_from[needed] = job;
        open.push_back(needed);
      }
    }
  }
  return {};
}

std::vector<bool> reachable(const std::vector<std::vector<std::size_t>>& next, std::vector<std::size_t> open) {
  std::vector<bool> seen(next.size(), false);
  for (const std::size_t job : open) seen[job] = true;
  while (!open.empty()) {
    const std::size_t job = open.back();
    open.pop_back();
    for (const std::size_t other : next[job]) {
      if (seen[other]) continue;
      seen[other] = true;
      open.push_back(other);
    }
  }
  return seen;
}

}  // namespace

NeedsGraph::NeedsGraph(std::vector<std::vector<std::size_t>> needs) : needs_(std::move(needs)) { build(); }

NeedsGraph::NeedsGraph(const std::vector<tasks::JobSpec>& jobs) : needs_(jobs.size()) {
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t job = 0; job < jobs.size(); ++job) index.emplace(jobs[job].id, job);
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    for (const std::string& id : jobs[job].needs) {
      if (const auto found = index.find(id); found != index.end()) needs_[job].push_back(found->second);
    }
  }
  build();
}

void NeedsGraph::build() {
  dependants_.resize(needs_.size());
  for (std::size_t job = 0; job < needs_.size(); ++job) {
    for (const std::size_t needed : needs_[job]) dependants_[needed].push_back(job);
  }

  const Graph graph = graph_of(needs_);
  std::vector<std::size_t> component(needs_.size());
  const std::size_t components = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  std::vector<bool> done(components, false);
  std::vector<std::size_t> members(components, 0);
  for (const std::size_t knot : component) ++members[knot];
  for (std::size_t job = 0; job < needs_.size(); ++job) {
    const bool needs_itself = std::find(needs_[job].begin(), needs_[job].end(), job) != needs_[job].end();
    if (done[component[job]] || (members[component[job]] == 1 && !needs_itself)) continue;
    done[component[job]] = true;
    cycles_.push_back(shortest_cycle(needs_, job));
  }
  // Depth first from the first job on, a job is finished after what it needs: the finishing order is the one wanted.
  if (cycles_.empty()) boost::topological_sort(graph, std::back_inserter(order_));
}

std::vector<bool> NeedsGraph::with_needs(const std::vector<std::size_t>& jobs) const { return reachable(needs_, jobs); }

std::vector<std::size_t> NeedsGraph::all_dependants(std::size_t job) const {
  std::vector<bool> seen = reachable(dependants_, {job});
  std::vector<std::size_t> all;
  for (std::size_t other = 0; other < seen.size(); ++other) {
    if (seen[other] && other != job) all.push_back(other);
  }
  return all;
}

}  // namespace edgelab::batch
