#include "batch/control/artifacts.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "results/schema/text.hpp"

namespace edgelab::batch {

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;  // of one message

}  // namespace

std::filesystem::path Artifacts::folder_beside(const std::filesystem::path& results_file) {
  std::filesystem::path folder = std::filesystem::absolute(results_file);
  return folder.replace_extension(".artifacts");
}

std::filesystem::path Artifacts::folder_of(const std::string& job) const {
  return folder_.empty() ? folder_ : folder_ / results::link_name_of(job);
}

std::filesystem::path Artifacts::weights_of(const std::string& job) const {
  return folder_.empty() ? folder_ : folder_of(job) / "weights.safetensors";
}

void Artifacts::keep(const tasks::JobSpec& job, std::span<const std::uint8_t> weights) const {
  const auto write = [&](const std::filesystem::path& file) {
    if (file.has_parent_path()) make_folders(file.parent_path());
    replace_file(file, std::as_bytes(weights));
  };
  if (!folder_.empty()) write(weights_of(job.id));
  if (!job.output_model.empty()) write(job.output_model);
}

std::vector<JobWeights> Artifacts::weights_for(const tasks::JobSpec& job) const {
  std::vector<JobWeights> list;
  for (const std::string& id : jobs_whose_weights_it_reads(job)) {
    const std::filesystem::path file = weights_of(id);
    std::error_code ignored;
    if (file.empty() || !std::filesystem::exists(file, ignored)) continue;
    try {
      list.push_back({id, read_file(file, kMostBytes)});
    } catch (const Error&) {  // as if it were not there
    }
  }
  return list;
}

std::vector<std::string> jobs_whose_weights_it_reads(const tasks::JobSpec& job) {
  std::vector<std::string> ids;
  if (!job.model.weights.job.empty()) ids.push_back(job.model.weights.job);
  if (job.train && job.train->distill && !job.train->distill->teacher.weights.job.empty()) ids.push_back(job.train->distill->teacher.weights.job);
  return ids;
}

}  // namespace edgelab::batch
