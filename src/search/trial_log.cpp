#include "search/trial_log.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <sstream>

#include "core/file.hpp"

namespace edgelab::search {
namespace {

constexpr const char* kEnd = "end";
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

std::string line_of(const LoggedTrial& trial) {
  std::string line = fmt::format("{} {} {} {} {}", trial.number, trial.top1, trial.loss, trial.bytes, trial.duration_ns);
  for (const double at : trial.point) line += fmt::format(" {}", at);
  return line + " .\n";
}

std::optional<double> number_of(std::istringstream& words) {
  std::string word;
  if (!(words >> word)) return {};
  char* end = nullptr;
  const double number = std::strtod(word.c_str(), &end);
  return *end == '\0' ? std::optional(number) : std::nullopt;
}

// Nothing for a line that is not whole.
std::optional<LoggedTrial> trial_of(const std::string& line) {
  if (!line.ends_with(" .")) return {};
  std::istringstream words(line.substr(0, line.size() - 2));
  std::vector<double> numbers;
  while (const auto number = number_of(words)) numbers.push_back(*number);
  if (numbers.size() < 5 || !words.eof()) return {};
  return LoggedTrial{static_cast<std::int64_t>(numbers[0]), {numbers.begin() + 5, numbers.end()}, numbers[1], numbers[2], static_cast<std::int64_t>(numbers[3]), static_cast<std::int64_t>(numbers[4])};
}

}  // namespace

TrialLog::TrialLog(const std::filesystem::path& folder, const std::string& identity) : path_(folder / "search.log"), identity_(identity) {
  make_folders(folder);
  if (!std::filesystem::exists(path_)) return;
  const std::vector<std::uint8_t> bytes = read_file(path_, kMostBytes);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::string line;
  if (!std::getline(text, line) || line != identity_) return;
  while (std::getline(text, line)) {
    finished_ = finished_ || line == kEnd;
    if (const auto trial = trial_of(line)) trials_.push_back(*trial);
  }
}

void TrialLog::add(const LoggedTrial& trial) {
  trials_.push_back(trial);
  write();
}

void TrialLog::finish() {
  if (finished_) return;
  finished_ = true;
  write();
}

// Whole each time: it is small, and so is never half written.
void TrialLog::write() const {
  std::string text = identity_ + "\n";
  for (const LoggedTrial& trial : trials_) text += line_of(trial);
  if (finished_) text += std::string(kEnd) + "\n";
  replace_file(path_, text);
}

}  // namespace edgelab::search
