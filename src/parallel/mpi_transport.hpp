#pragma once

#include <cstdint>
#include <vector>

#include "kernels/message/transport.hpp"
#include "parallel/communicator.hpp"
#include "parallel/span_log.hpp"
#include "parallel/wire.hpp"

namespace edgelab::parallel {

// The messages of a plan over MPI, f32 in the given wire format, other types as they are. Ranks talk to each other directly, so that
// what is sent in a narrow format is rounded once, and waits back off (Waiting).
//
// all_reduce adds each rank's share of the rows up on one rank, in the ranks' order, and sends the sums to all (reduce-scatter, then
// all-gather): 2 · (R − 1)/R of the bytes a rank each way. In a narrow format sums are rounded, once, for all ranks alike.
class MpiTransport final : public kernels::Transport {
 public:
  // Of the ranks that share layers. Both must outlive it; nobody else may use the group meanwhile. `log` takes what is done when.
  MpiTransport(const Communicator& group, Wire wire, SpanLog& log) : group_(group), wire_(wire), log_(log) {}

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  void all_reduce(float* values, std::int64_t rows, std::int64_t width) override;
  void exchange(const kernels::StripExchange& strips, const std::byte* from, std::byte* to) override;

  // In messages and in waiting for them, of all calls.
  std::int64_t total_ns() const { return total_ns_; }

 private:
  // Waits for a request, and then works on what it brought.
  template <class Work> void receive(Request& request, Work work);
  void wait_for(std::vector<Request>& requests);

  const Communicator& group_;
  Wire wire_;
  SpanLog& log_;
  std::vector<float> rows_, sums_;
  std::int64_t total_ns_ = 0;
};

}  // namespace edgelab::parallel
