#include "core/error.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace edgelab {

std::string SourcePlace::text() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  return text;
}

Error::Error(ErrorKind kind, std::string what) : kind_(kind), what_(std::move(what)) { compose(); }

Error&& Error::at(SourcePlace place) && {
  place_ = std::move(place);
  compose();
  return std::move(*this);
}

Error&& Error::got(std::string text) && {
  got_ = std::move(text);
  compose();
  return std::move(*this);
}

Error&& Error::expected(std::string text) && {
  expected_ = std::move(text);
  compose();
  return std::move(*this);
}

Error&& Error::hint(std::string text) && {
  hint_ = std::move(text);
  compose();
  return std::move(*this);
}

void Error::compose() {
  message_ = place_.file.empty() ? "error: " : place_.text() + ": error: ";
  message_ += what_;
  if (!got_.empty() && !expected_.empty()) {
    message_ += " (got " + got_ + ", expected " + expected_ + ")";
  } else if (!got_.empty()) {
    message_ += " (got " + got_ + ")";
  } else if (!expected_.empty()) {
    message_ += " (expected " + expected_ + ")";
  }
  if (!hint_.empty()) message_ += "; " + hint_;
}

namespace {

// Optimal string alignment distance: a swap of two neighbours counts once, as slips of the hand do.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  // At least one letter must be right: "c" is no slip for "a".
  const std::size_t most = std::min(std::max<std::size_t>(2, name.size() / 3), name.empty() ? 0 : name.size() - 1);
  std::size_t best_distance = most + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace edgelab
