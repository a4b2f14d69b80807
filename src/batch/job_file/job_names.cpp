#include "batch/job_file/job_names.hpp"

namespace edgelab::batch {

JobNames::JobNames(const std::vector<Document>& documents) {
  std::unordered_set<std::string> earlier;
  for (const Document& document : documents) {
    std::unordered_set<std::string> own;
    for (const Value& job : document.jobs) own.insert(id_text(job));
    for (const std::string& id : own) {
      if (!id.empty() && !earlier.insert(id).second) shared_.insert(id);
    }
  }
}

std::string JobNames::in_batch(const std::string& id, const Document& document) const {
  return shared_.contains(id) ? document.label + "/" + id : id;
}

}  // namespace edgelab::batch
