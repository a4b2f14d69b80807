#pragma once

#include <filesystem>
#include <optional>

#include "batch/supervisor/rank_end.hpp"

namespace edgelab::batch {

// How rank 0 learns what other ranks died of while it goes on: guards tell the supervisor, who writes it into a file in its folder
// (leader_folder.hpp), where rank 0 reads it. One report a line.
class RankEndLog {
 public:
  explicit RankEndLog(const std::filesystem::path& folder);

  const std::filesystem::path& file() const { return file_; }
  void clear() const;                    // the supervisor, before each start of mpirun. Throws Error (environment)
  void append(const RankEnd& end) const;  // the supervisor. Throws Error (environment)
  // Rank 0. Nothing if there is no report of that rank yet, or it can't be read.
  std::optional<RankEnd> find(int rank) const;

 private:
  std::filesystem::path file_;
};

}  // namespace edgelab::batch
