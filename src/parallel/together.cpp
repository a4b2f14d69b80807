#include "parallel/together.hpp"

#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "parallel/failures.hpp"
#include "parallel/numbers.hpp"

namespace edgelab::parallel {
namespace {

struct Failure {
  ErrorKind kind = ErrorKind::data;
  std::string text;  // empty: it went well
};

// "error: " stands in front of what() already, and will again.
std::string without_prefix(std::string text) {
  constexpr std::string_view kPrefix = "error: ";
  return text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
}

Failure failure_of(const std::exception_ptr& exception) {
  try {
    if (exception) std::rethrow_exception(exception);
    return {};
  } catch (const Error& error) {
    return {error.kind(), without_prefix(error.what())};
  } catch (const std::bad_alloc&) {
    return {ErrorKind::environment, "out of memory"};
  } catch (const std::exception& error) {
    return {ErrorKind::data, error.what()};
  }
}

}  // namespace

void together(const Communicator& communicator, const std::function<void()>& work) {
  std::exception_ptr mine;
  try {
    work();
  } catch (const Cancelled&) {
    throw;
  } catch (const PeerFailed&) {
    throw;
  } catch (...) {
    mine = std::current_exception();
  }
  const Failure failure = failure_of(mine);
  std::string message = failure.text.empty() ? "" : std::to_string(static_cast<int>(failure.kind)) + failure.text;
  const std::vector<Bytes> all = communicator.all_gather(std::as_bytes(std::span(message)));
  if (mine) std::rethrow_exception(mine);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].empty()) continue;
    const std::string theirs = text_of(all[rank]);
    throw Error(static_cast<ErrorKind>(theirs[0] - '0'), "rank " + std::to_string(rank) + ": " + theirs.substr(1));
  }
}

}  // namespace edgelab::parallel
