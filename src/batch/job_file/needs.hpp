#pragma once

#include <cstddef>
#include <vector>

#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// Who needs whom, by index into a list of jobs. Immutable; safe to read from several threads.
class NeedsGraph {
 public:
  // needs[i]: the jobs that job i waits for.
  explicit NeedsGraph(std::vector<std::vector<std::size_t>> needs);
  // Ids that are not in `jobs` are passed over (load_batch has refused them, or --only kept them out).
  explicit NeedsGraph(const std::vector<tasks::JobSpec>& jobs);

  std::size_t size() const { return needs_.size(); }
  const std::vector<std::size_t>& needs(std::size_t job) const { return needs_[job]; }
  const std::vector<std::size_t>& dependants(std::size_t job) const { return dependants_[job]; }  // direct ones

  // One shortest cycle for each knot of jobs that wait for one another, each beginning with its first job in file
  // order: {a, b} is a → b → a. Empty for a batch that can run.
  const std::vector<std::vector<std::size_t>>& cycles() const { return cycles_; }
  // Every job after all that it needs, as near to file order as that allows; empty if there is a cycle.
  const std::vector<std::size_t>& order() const { return order_; }

  // `jobs` and all that they need, directly or not, as flags by index.
  std::vector<bool> with_needs(const std::vector<std::size_t>& jobs) const;
  // All that waits for `job`, directly or not; `job` itself is not among them. In file order.
  std::vector<std::size_t> all_dependants(std::size_t job) const;

 private:
  void build();

  std::vector<std::vector<std::size_t>> needs_, dependants_, cycles_;
  std::vector<std::size_t> order_;
};

}  // namespace edgelab::batch
