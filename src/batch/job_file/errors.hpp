#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "batch/job_file/value.hpp"
#include "core/error.hpp"

namespace edgelab::batch {

// Gathers what is wrong, so that all of it is told at once. The same message at the same place is kept once: a fault in
// `defaults` or in a sweep meets every job that it is merged into.
class ErrorList {
 public:
  static constexpr std::size_t kMost = 1000;

  void add(Error error, const Place& place);
  bool empty() const { return found_.empty(); }
  // Throws JobFileErrors, ordered by file and line, if there is any.
  void throw_if_any();

 private:
  struct Found {
    int file, line, column;
    Error error;
  };
  std::vector<Found> found_;
  std::unordered_set<std::string> messages_;
};

// A usage error at `place`.
Error usage_error(const Place& place, std::string what);

}  // namespace edgelab::batch
