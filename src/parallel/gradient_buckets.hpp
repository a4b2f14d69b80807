#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "parallel/communicator.hpp"

namespace edgelab::parallel {

// Sums the gradients of one training step over all ranks while the backward pass still makes more of them: gradients are put
// into buckets in the order in which they come, and a full bucket is sent off at once (Li et al., PyTorch Distributed, 2020).
class GradientBuckets {
 public:
  // `elements`: of each gradient. They are expected in the order last to first, as a backward pass makes them, and must come
  // to the same numbers on every rank. A bucket is closed once it holds `bucket_bytes`. Collective in what follows: every rank
  // does the same steps with it.
  GradientBuckets(const Communicator& communicator, std::span<const std::size_t> elements, std::size_t bucket_bytes = kBucketBytes);
  static constexpr std::size_t kBucketBytes = std::size_t{1} << 20;

  // This rank's own part of a gradient; copied. Sends a bucket off if this fills it and those before it have gone. Never
  // blocks; may be called in any order.
  void add(std::size_t gradient, std::span<const float> values);
  // All gradients have been added: blocks until all sums are here. The next add() begins the next step.
  void finish();
  // Valid from finish() to the next add().
  std::span<const float> sum(std::size_t gradient) const;

 private:
  struct Place {
    std::size_t bucket = 0, offset = 0, elements = 0;
  };
  struct Bucket {
    std::size_t elements = 0, gradients = 0;  // when full
    std::size_t added = 0;                    // gradients, so far
    Bytes floats;
    std::optional<Request> request;
  };
  void send_full_ones();

  const Communicator& communicator_;
  std::vector<Place> places_;  // one a gradient
  std::vector<Bucket> buckets_;
  std::size_t sent_ = 0;       // buckets: collectives must be begun in the same order everywhere
};

}  // namespace edgelab::parallel
