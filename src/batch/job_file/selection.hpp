#pragma once

#include <vector>

#include "batch/job_file/batch.hpp"
#include "batch/job_file/references.hpp"

namespace edgelab::batch {

// What `options.only` takes of the members, as flags by index: all of them where it is empty. Reports ids that mean
// nothing, also while there are no jobs at all. The outlines' needs have been resolved.
std::vector<bool> selected_members(const LoadOptions& options, const std::vector<Outline>& outlines,
                                   const std::vector<Member>& members, const Ids& ids, ErrorList& errors);

}  // namespace edgelab::batch
