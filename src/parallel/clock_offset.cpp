#include "parallel/clock_offset.hpp"

#include <cstdlib>
#include <limits>

#include "core/clock.hpp"

namespace edgelab::parallel {
namespace {

constexpr int kRounds = 10;
constexpr int kQuestion = 1, kTime = 2;  // tags

}  // namespace

std::int64_t clock_offset_ns(const Communicator& communicator) {
  std::int64_t offset = 0, shortest = std::numeric_limits<std::int64_t>::max();
  const auto bytes_of = [](std::int64_t& value) { return std::as_writable_bytes(std::span(&value, 1)); };
  for (int rank = 1; rank < communicator.size(); ++rank) {
    for (int round = 0; round < kRounds; ++round) {
      if (communicator.rank() == 0) {
        std::int64_t time = 0;
        communicator.receive(bytes_of(time), rank, kQuestion);
        time = now_ns();
        communicator.send(bytes_of(time), rank, kTime);
      } else if (communicator.rank() == rank) {
        std::int64_t theirs = 0;
        const std::int64_t asked = now_ns();
        communicator.send(bytes_of(theirs), 0, kQuestion);
        communicator.receive(bytes_of(theirs), 0, kTime);
        const std::int64_t answered = now_ns(), trip = answered - asked;
        if (trip >= shortest) continue;
        shortest = trip;
        offset = theirs - asked - trip / 2;
      }
    }
  }
  return std::abs(offset) <= shortest / 2 ? 0 : offset;
}

}  // namespace edgelab::parallel
