#include "batch/job_file/errors.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "batch/job_file/batch.hpp"

namespace edgelab::batch {

void ErrorList::add(Error error, const Place& place) {
  if (found_.size() >= kMost || !messages_.insert(error.what()).second) return;
  found_.push_back({place.file ? place.file->order : -1, place.line, place.column, std::move(error)});
}

void ErrorList::throw_if_any() {
  if (found_.empty()) return;
  std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  });
  std::vector<Error> errors;
  for (Found& each : found_) errors.push_back(std::move(each.error));
  if (errors.size() == kMost) errors.emplace_back(ErrorKind::usage, "there may be more errors than these 1,000");
  throw JobFileErrors(std::move(errors));
}

Error usage_error(const Place& place, std::string what) {
  return Error(ErrorKind::usage, std::move(what)).at(place.shown());
}

JobFileErrors::JobFileErrors(std::vector<Error> errors) : errors_(std::move(errors)) {
  for (const Error& error : errors_) message_ += (message_.empty() ? "" : "\n") + std::string(error.what());
}

int JobFileErrors::exit_code() const {
  for (const ErrorKind kind : {ErrorKind::usage, ErrorKind::environment}) {
    if (std::any_of(errors_.begin(), errors_.end(), [&](const Error& error) { return error.kind() == kind; })) {
      return exit_code_of(kind);
    }
  }
  return exit_code_of(ErrorKind::data);
}

}  // namespace edgelab::batch
