#include "app/content_keys.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "batch/content_key.hpp"
#include "batch/job_file/batch.hpp"
#include "batch/job_file/needs.hpp"
#include "core/error.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

// Members of a sweep read the same files: each set of inputs is hashed once.
class InputHashes {
 public:
  std::vector<std::pair<std::string, std::string>> of(const tasks::JobSpec& job) {
    const nlohmann::json resolved = nlohmann::json::parse(job.resolved);
    nlohmann::json inputs = {static_cast<int>(job.task), resolved.value("data", nlohmann::json{})};
    inputs.push_back(job.model.weights.path);
    inputs.push_back(job.model.arch);
    const std::string key = inputs.dump();
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    return known_.emplace(key, tasks::input_hashes(job)).first->second;
  }

 private:
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> known_;
};

}  // namespace

std::vector<std::string> content_keys(const std::vector<tasks::JobSpec>& jobs) {
  const batch::NeedsGraph graph(jobs);
  const std::string binary = batch::binary_hash();
  InputHashes hashes;
  std::vector<std::string> keys(jobs.size());
  std::vector<Error> problems;
  for (const std::size_t index : graph.order()) {
    try {
      batch::ContentParts parts{jobs[index].resolved, hashes.of(jobs[index]), binary, {}};
      for (const std::size_t need : graph.needs(index)) parts.needs.push_back(keys[need]);
      keys[index] = batch::content_key(parts);
    } catch (Error& error) {
      problems.push_back(std::move(error).at(error.place().file.empty() ? jobs[index].place : error.place()));
    }
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
  return keys;
}

}  // namespace edgelab::app
