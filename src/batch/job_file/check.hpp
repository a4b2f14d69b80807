#pragma once

#include <string>

#include "batch/job_file/errors.hpp"
#include "batch/job_file/type.hpp"
#include "batch/job_file/value.hpp"

namespace edgelab::batch {

// Holds `value`, the value of the dotted key `name` ("" for the top), against its type and reports all that is wrong in
// it: unknown, missing and rival keys, wrong types, values out of range. Marks what it reported as bad, so that nothing is
// said twice, and makes paths absolute.
void check(Value& value, const Type& type, const std::string& name, ErrorList& errors);

}  // namespace edgelab::batch
