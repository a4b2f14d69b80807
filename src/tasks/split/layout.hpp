#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "parallel/stage.hpp"
#include "parallel/wire.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/spec_problem.hpp"

namespace edgelab::tasks {

// In how many ways a job is split; the product is its ranks.
struct Ways {
  int pipeline = 1, tensor = 1, sequence = 1, data = 1;
  int members() const { return tensor * sequence; }  // ranks of a stage
  int ranks() const { return pipeline * members() * data; }
  bool operator==(const Ways&) const = default;
};

// What `strategy` or the ways of a hybrid come to.
Ways ways_of(const JobSpec& spec);

parallel::Wire wire_of(Wire wire);

// Whether the ranks hold parts of one model, rather than a model each.
bool splits_model(const JobSpec& spec);

// What a rank does, for people: "stage 2 of 4: blocks.3.norm1 to blocks.5.add2", "rank 3 of 4 (heads 3 to 4 of 6): broadcast to head".
// `share`: what its part says of itself.
std::string role_of(const parallel::Seat& seat, const std::string& share, const graph::Graph& part);

// What in a job's `ranks` and `parallel` this version can't do.
std::vector<SpecProblem> problems_of_split(const JobSpec& spec);

}  // namespace edgelab::tasks
