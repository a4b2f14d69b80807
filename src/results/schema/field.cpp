#include "results/schema/field.hpp"

#include <limits>
#include <stdexcept>

#include "core/error.hpp"

namespace edgelab::results {

std::string_view name_of(Status status) {
  switch (status) {
    case Status::done: return "done";
    case Status::failed: return "failed";
    case Status::skipped: return "skipped";
    case Status::interrupted: return "interrupted";
  }
  return "failed";
}

Status status_of(std::string_view name) {
  for (const Status status : {Status::done, Status::failed, Status::skipped, Status::interrupted}) {
    if (name == name_of(status)) return status;
  }
  throw Error(ErrorKind::data, "unknown job status")
      .got("'" + std::string(name) + "'")
      .expected("done, failed, skipped or interrupted");
}

int narrowed_to_int(std::int64_t value, const char* field) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw Error(ErrorKind::data, std::string("'") + field + "' is out of range")
        .got(std::to_string(value))
        .expected("a 32-bit integer");
  }
  return static_cast<int>(value);
}

std::vector<std::int64_t> filled_extents(const char* name, std::size_t elements, std::vector<std::int64_t> extents) {
  std::int64_t known = 1;
  for (const std::int64_t extent : extents) known *= extent < 0 ? 1 : extent;
  std::int64_t filled = known;
  for (std::int64_t& extent : extents) {
    if (extent >= 0) continue;
    extent = known == 0 ? 0 : static_cast<std::int64_t>(elements) / known;
    filled = known * extent;
  }
  if (filled != static_cast<std::int64_t>(elements)) {
    throw std::logic_error(std::string("array '") + name + "' has " + std::to_string(elements) +
                           " elements, its extents ask for " + std::to_string(filled));
  }
  return extents;
}

}  // namespace edgelab::results
