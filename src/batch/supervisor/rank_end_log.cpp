#include "batch/supervisor/rank_end_log.hpp"

#include <fstream>
#include <span>
#include <string>

#include "core/file.hpp"

namespace edgelab::batch {
namespace {

constexpr std::string_view kMark = "log";

}  // namespace

RankEndLog::RankEndLog(const std::filesystem::path& folder) : file_(folder / "rank_ends") {}

void RankEndLog::clear() const { replace_file(file_, std::string_view()); }

void RankEndLog::append(const RankEnd& end) const {
  const std::string line = report_line(end, kMark) + "\n";
  OutputFile(file_, OutputFile::Mode::append).write(std::as_bytes(std::span(line)));
}

std::optional<RankEnd> RankEndLog::find(int rank) const {
  std::ifstream file(file_);
  const std::size_t prefix = kReportWord.size() + kMark.size() + 2;
  // A line without its end is still being written.
  for (std::string line; std::getline(file, line) && !file.eof();) {
    if (line.size() < prefix) continue;
    const std::optional<RankEnd> end = read_report(std::string_view(line).substr(prefix));
    if (end && end->rank == rank) return end;
  }
  return std::nullopt;
}

}  // namespace edgelab::batch
