#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "results/job_record.hpp"

namespace edgelab::results {

// One cell as RFC 4180 wants it: quoted where it holds a comma, a quote or a line break.
std::string csv_cell(std::string_view text);

// Writes one CSV a table (RFC 4180, UTF-8, first line names the columns): provenance, libraries, hosts, links_*, jobs (a row
// a job: attributes, model and summary), and for the tables and arrays below jobs one file each with the job's id in the
// first column and one line an element; of the spans of ranks, the rank in the second. Pictures are left out. An unknown value is an empty cell. Tables without rows are left out. Returns the
// files made. Throws Error: usage if the folder holds something already and `force` is false, environment if it can't be
// written.
std::vector<std::filesystem::path> export_csv(const RunRecord& run, const std::filesystem::path& folder, bool force);

}  // namespace edgelab::results
