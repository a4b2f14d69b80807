#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "batch/job_file/errors.hpp"
#include "batch/job_file/value.hpp"

namespace edgelab::batch {

inline constexpr std::size_t kMostMembers = 10'000;  // of one sweep

// One combination of a sweep: for each key of the matrix the index of its value.
using Combination = std::vector<std::size_t>;

// The combinations that `exclude` leaves, the last key of the matrix varying fastest. `job` has its defaults merged in.
// A job without a matrix has one, empty combination. Reports a sweep that is too large, exclusions that exclude nothing,
// and one that leaves nothing.
std::vector<Combination> combinations_of(const Value& job, ErrorList& errors);

// "[precision=int8,attention=flash]", values as the file has them.
std::string member_suffix(const Value& job, const Combination& combination);

// `job` with the combination's values merged in, and without matrix and exclude.
Value member_value(const Value& job, const Combination& combination);

}  // namespace edgelab::batch
