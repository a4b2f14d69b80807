#pragma once

#include <exception>
#include <vector>

#include "parallel/gradient_buckets.hpp"
#include "train/gradient_exchange.hpp"

namespace edgelab::tasks {

// Gradients added up over the ranks of a communicator. Collective: every rank makes one and trains the same steps with it.
class BucketExchange final : public train::GradientExchange {
 public:
  BucketExchange(const parallel::Communicator& communicator, std::span<const std::size_t> elements) : buckets_(communicator, elements) {}

  void add(std::size_t gradient, std::span<const float> values) noexcept override {
    try {
      if (!failure_) buckets_.add(gradient, values);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  void finish() override {
    if (failure_) std::rethrow_exception(failure_);
    buckets_.finish();
  }
  std::span<const float> sum(std::size_t gradient) const override { return buckets_.sum(gradient); }

 private:
  parallel::GradientBuckets buckets_;
  std::exception_ptr failure_;
};

}  // namespace edgelab::tasks
