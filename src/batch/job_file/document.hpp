#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "batch/job_file/errors.hpp"
#include "batch/job_file/type.hpp"
#include "batch/job_file/value.hpp"

namespace edgelab::batch {

// A job file with its includes merged in, checked, its defaults not yet merged into its jobs.
struct Document {
  Value name;               // scalar, or null
  std::string label;        // before any override: its name, else the file's without its extension
  Value defaults;           // map
  Value cluster;            // map, or null
  std::vector<Value> jobs;  // maps
  Place start;              // of the file given on the command line
  bool incomplete = false;  // something could not be read: what seems to be missing may stand there
};

// Reads job files. One for a whole batch, so that errors are ordered by the order of reading.
class DocumentReader {
 public:
  explicit DocumentReader(ErrorList& errors) : errors_(errors) {}

  Document read(const std::filesystem::path& path);
  // A job file that is in memory; `name` is for messages. It stands alone: `include` is an error.
  Document read_text(const std::string& name, const std::string& text);
  // Every file read so far, absolute.
  const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  Document read(const std::filesystem::path& path, const Place& asked_at);
  Document parse(const std::string& text, const std::shared_ptr<const SourceFile>& file);
  void include(Document& document, const Value& value);

  ErrorList& errors_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::filesystem::path> open_;  // the file being read and those that include it
  std::size_t reads_ = 0;
};

// `over` on `base`: maps merge key by key at every depth, everything else replaces. A key that stands instead of others
// (Section::alternatives) puts them out.
Value merged(const Value& base, const Value& over, const Section& section);

// The id of a job as its file has it; empty where there is none, or a bad one.
std::string id_text(const Value& job);

// Merges what is said later of the cluster, a map or null, into the document's.
void merge_cluster(Document& document, const Value& later);

}  // namespace edgelab::batch
