#include "batch/job_file/roots.hpp"

#include <algorithm>
#include <string>
#include <system_error>

namespace edgelab::batch {
namespace fs = std::filesystem;
namespace {

// As far as it exists by what is on the disk, the rest as written; empty where that can't be told.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? fs::path() : real;
}

bool lies_under(const fs::path& path, const fs::path& root) {
  const auto [at_root, at_path] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return at_root == root.end() && !root.empty();
}

class RootCheck {
 public:
  RootCheck(const std::vector<fs::path>& roots, ErrorList& errors) : errors_(errors) {
    for (const fs::path& root : roots) {
      const fs::path real = real_path(root);
      roots_.push_back(real.has_filename() || real == real.root_path() ? real : real.parent_path());
      shown_ += (shown_.empty() ? "" : ", ") + root.string();
    }
  }

  void operator()(const Value& value) const {
    if (!value.absolute.empty()) check(value);
    for (const Value& item : value.items) (*this)(item);
    for (const Entry& entry : value.entries) {
      const bool no_path = entry.key == "weights" && entry.value.text == "random";
      if (!no_path) (*this)(entry.value);
    }
  }

 private:
  void check(const Value& value) const {
    const fs::path real = real_path(value.absolute);
    if (std::any_of(roots_.begin(), roots_.end(), [&](const fs::path& root) { return lies_under(real, root); })) return;
    errors_.add(Error(ErrorKind::usage, "this path leads out of the folders that this batch may use")
                    .at(value.place.shown())
                    .got(real.empty() ? value.absolute : real.string())
                    .expected("under one of " + shown_)
                    .hint("start the batch with EDGELAB_ROOTS naming more folders, separated by colons"),
                value.place);
  }

  ErrorList& errors_;
  std::vector<fs::path> roots_;
  std::string shown_;
};

}  // namespace

void check_roots(const Document& document, const std::vector<fs::path>& roots, ErrorList& errors) {
  if (roots.empty()) return;
  const RootCheck check(roots, errors);
  check(document.defaults);
  for (const Value& job : document.jobs) check(job);
}

}  // namespace edgelab::batch
