#pragma once

#include <string>

namespace edgelab::tasks {

// Keys of a job that do not go together, and what to say instead.
struct SpecProblem {
  std::string what, hint;
};

}  // namespace edgelab::tasks
