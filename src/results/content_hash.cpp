#include "results/content_hash.hpp"

#include "core/hash.hpp"
#include "results/json/record_json.hpp"
#include "results/schema/markdown.hpp"

namespace edgelab::results {

std::string content_hash_of(const JobRecord& job) {
  if (job.keep_logits || job.logits.empty()) return sha256_of_text(to_json_text(job));
  JobRecord kept = job;
  kept.logits.clear();
  return sha256_of_text(to_json_text(kept));
}

std::string content_hash_of_frame(const RunRecord& run) { return sha256_of_text(frame_json_text(run)); }

std::string schema_fingerprint() {
  static const std::string fingerprint = sha256_of_text(schema_markdown());
  return fingerprint;
}

}  // namespace edgelab::results
