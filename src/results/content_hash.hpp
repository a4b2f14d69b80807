#pragma once

#include <string>

#include "results/job_record.hpp"

// SHA-256 over the values of a record as a results file keeps them, whatever kept them (HDF5, journal). The file carries
// them as `content_sha256`, so that `verify` sees a flipped bit in any value; HDF5 itself has checksums for some of its
// structure and none for plain data.
namespace edgelab::results {

std::string content_hash_of(const JobRecord& job);
// Everything of the run but its jobs.
std::string content_hash_of_frame(const RunRecord& run);
// Of the schema. Hashes made under another edition of "edgelab/1" cover other fields and can't be compared.
std::string schema_fingerprint();

}  // namespace edgelab::results
