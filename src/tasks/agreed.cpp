#include "tasks/agreed.hpp"

#include <span>
#include <string>

#include "core/error.hpp"

namespace edgelab::tasks {
namespace {

constexpr std::byte kMade{0}, kFailed{1};

template <class List> parallel::Bytes message(std::byte kind, const List& list) {
  const auto all = std::as_bytes(std::span(list));
  parallel::Bytes bytes(1, kind);
  bytes.insert(bytes.end(), all.begin(), all.end());
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> agreed(const parallel::Communicator& communicator, const std::function<std::vector<std::uint8_t>()>& make) {
  parallel::Bytes bytes;
  if (communicator.rank() == 0) {
    try {
      bytes = message(kMade, make());
    } catch (const Error& error) {
      bytes = message(kFailed, std::string(error.what()));
      communicator.broadcast(bytes, 0);
      throw;
    }
  }
  communicator.broadcast(bytes, 0);
  const auto* begin = reinterpret_cast<const char*>(bytes.data()) + 1;
  const std::size_t size = bytes.size() - 1;
  if (bytes.front() == kFailed) throw Error(ErrorKind::data, "rank 0: " + std::string(begin, size));
  return {begin, begin + size};
}

}  // namespace edgelab::tasks
