// A job file, with lines "#--set KEY=VALUE" at its head as overrides of the command line. What is accepted must survive
// being written down: as resolved jobs for the ranks, and as a resolved file.
#include "batch/job_file/batch.hpp"

#include <string_view>

#include "fuzz/memory_file.hpp"

namespace {

using namespace edgelab;

batch::LoadOptions take_options(std::string_view& text) {
  constexpr std::string_view kSet = "#--set ";
  batch::LoadOptions options;
  while (text.starts_with(kSet) && options.set.size() < 4) {
    const std::string_view line = text.substr(0, text.find('\n'));
    options.set.emplace_back(line.substr(kSet.size()));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return options;
}

batch::Batch load(std::string_view text, const batch::LoadOptions& options) {
  const fuzz::MemoryFile file({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return batch::load_batch({file.path()}, options);
}

void check(const batch::Batch& batch) {
  for (const tasks::JobSpec& job : batch.jobs) {
    const tasks::JobSpec again = batch::parse_resolved_job(job.resolved);
    fuzz::require(again.resolved == job.resolved && again.id == job.id);
  }
  const batch::Batch again = load(batch.resolved, {});
  fuzz::require(again.jobs.size() == batch.jobs.size());
  for (std::size_t i = 0; i < batch.jobs.size(); ++i) fuzz::require(again.jobs[i].resolved == batch.jobs[i].resolved);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  batch::Batch batch;
  try {
    const batch::LoadOptions options = take_options(text);
    batch = load(text, options);
  } catch (const batch::JobFileErrors& errors) {
    fuzz::require(!errors.errors().empty());
    return 0;
  }
  check(batch);
  return 0;
}
