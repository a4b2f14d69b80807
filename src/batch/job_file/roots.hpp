#pragma once

#include <filesystem>
#include <vector>

#include "batch/job_file/document.hpp"
#include "batch/job_file/errors.hpp"

namespace edgelab::batch {

// Every path in the document must lie under one of `roots`, whatever links and `..` make of it now; what comes later to
// lie there is not looked at. Empty roots allow everything.
void check_roots(const Document& document, const std::vector<std::filesystem::path>& roots, ErrorList& errors);

}  // namespace edgelab::batch
