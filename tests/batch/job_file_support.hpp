#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "batch/job_file/batch.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch::test {

// A folder of job files, and the messages that loading them gives, with the folder's own path taken out.
class Folder {
 public:
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string path() const { return directory_.path().string(); }
  std::filesystem::path operator/(const std::string& name) const { return directory_ / name; }

  // Every message, one a line; "" if the file is right.
  std::string errors(const std::string& text, const LoadOptions& options = {}) const {
    return errors_of({write("j.yaml", text)}, options);
  }

  std::string errors_of(const std::vector<std::filesystem::path>& files, const LoadOptions& options = {}) const {
    try {
      load_batch(files, options);
      return {};
    } catch (const JobFileErrors& errors) {
      std::string message = errors.what();
      const std::string folder = path() + "/";
      for (std::size_t at; (at = message.find(folder)) != std::string::npos;) message.erase(at, folder.size());
      return message;
    }
  }

  Batch load(const std::string& text, const LoadOptions& options = {}) const {
    return load_batch({write("j.yaml", text)}, options);
  }

 private:
  edgelab::test::TemporaryDirectory directory_;
};

// What makes a job that can run, on a line of its own before the jobs.
inline const std::string kDefaults = "defaults: {task: bench, model: {arch: mobilenet_v2}}\n";

inline std::vector<std::string> ids_of(const Batch& batch) {
  std::vector<std::string> ids;
  for (const tasks::JobSpec& job : batch.jobs) ids.push_back(job.id);
  return ids;
}

}  // namespace edgelab::batch::test
