#pragma once

#include <string>
#include <vector>

#include "batch/job_file/document.hpp"
#include "batch/job_file/errors.hpp"
#include "batch/job_file/job_names.hpp"

namespace edgelab::batch {

// Merges `--set KEY=VALUE` into the documents, in the order given: `name`, `defaults.…` (of every document) or
// `jobs.ID.…` (of every document that has it, or as `names` calls it in the batch). VALUE is YAML, held against the key's type
// like YAML in a file; errors stand at "--set KEY=VALUE".
void apply_overrides(const std::vector<std::string>& set, std::vector<Document>& documents, const JobNames& names,
                     ErrorList& errors);

}  // namespace edgelab::batch
