// A job as it travels to the ranks and stands in the journal.
#include <string>

#include "batch/job_file/batch.hpp"
#include "fuzz/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  tasks::JobSpec job;
  try {
    job = batch::parse_resolved_job(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const batch::JobFileErrors&) {
    return 0;
  }
  fuzz::require(batch::parse_resolved_job(job.resolved).resolved == job.resolved);
  return 0;
}
