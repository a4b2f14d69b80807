#pragma once

#include <span>
#include <string>
#include <vector>

#include "results/compare/comparison.hpp"

// What makes a comparison less sure than its intervals say.
namespace edgelab::results {

// Of the whole of it: other machines, few processes, one side after the other.
std::vector<std::string> cautions_of(const Side& a, const Side& b);

// Of one job, done in these processes of either side: the first reason of each kind and side.
std::vector<Doubt> doubts_of(std::span<const JobRecord* const> a, std::span<const JobRecord* const> b);

}  // namespace edgelab::results
