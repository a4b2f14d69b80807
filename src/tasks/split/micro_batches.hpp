#pragma once

#include <algorithm>
#include <cstdint>

namespace edgelab::tasks {

// Calls of `batch` samples as the micro-batches that go through the stages one behind the other. A call's last one may be short, and of
// the last call only those with samples count.
class MicroBatches {
 public:
  MicroBatches(std::int64_t samples, int batch, int microbatch) : samples_(samples), batch_(batch), size_(std::min(batch, microbatch)) {}

  std::int64_t size() const { return size_; }  // samples of a whole one: never more than a call has
  std::int64_t calls() const { return (samples_ + batch_ - 1) / batch_; }
  std::int64_t parts() const { return (batch_ + size_ - 1) / size_; }  // of a whole call
  std::int64_t before_call(std::int64_t call) const { return call < calls() ? call * parts() : count(); }
  std::int64_t samples_before_call(std::int64_t call) const { return std::min(samples_, call * batch_); }
  std::int64_t count() const {
    const std::int64_t last = samples_ - (calls() - 1) * batch_;
    return (calls() - 1) * parts() + (last + size_ - 1) / size_;
  }

  std::int64_t call_of(std::int64_t index) const { return index / parts(); }
  std::int64_t first_in_call(std::int64_t index) const { return index % parts() * size_; }  // sample
  std::int64_t samples_of(std::int64_t index) const {
    const std::int64_t first = call_of(index) * batch_ + first_in_call(index);
    return std::min({size_, batch_ - first_in_call(index), samples_ - first});
  }
  bool begins_call(std::int64_t index) const { return index % parts() == 0; }
  bool ends_call(std::int64_t index) const { return index + 1 == before_call(call_of(index) + 1); }

 private:
  std::int64_t samples_, batch_, size_;
};

}  // namespace edgelab::tasks
