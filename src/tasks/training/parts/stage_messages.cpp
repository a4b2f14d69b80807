#include "tasks/training/parts/stage_messages.hpp"

#include <utility>

namespace edgelab::tasks {

namespace {

constexpr std::size_t kAhead = 2;  // one that is worked on elsewhere, and one on its way

}  // namespace

StageMessages::StageMessages(const parallel::Communicator& communicator, parallel::Wire wire, const train::TrainingStep& step, std::int64_t parts)
    : communicator_(communicator), wire_(wire), parts_(parts) {
  const int rank = communicator.rank();
  const bool first = rank == 0, last = rank + 1 == communicator.size();
  activations_ = {rank - 1, kActivations, first ? 0 : parallel::message_bytes(wire, step.arrived(0)), parts, {}};
  gradients_ = {rank + 1, kGradients, last ? 0 : parallel::message_bytes(wire, step.gradients_of_handed_on(0)), parts, {}};
}

void StageMessages::post(Inlet& inlet) {
  for (; inlet.bytes > 0 && inlet.unposted > 0 && inlet.posted.size() < kAhead; --inlet.unposted) {
    inlet.posted.push_back(communicator_.irecv(inlet.bytes, inlet.source, inlet.tag));
  }
}

void StageMessages::receive(Inlet& inlet, std::span<const Tensor> into) {
  if (into.empty()) return;
  post(inlet);
  parallel::Request message = std::move(inlet.posted.front());
  inlet.posted.pop_front();
  message.wait();
  parallel::take_message(wire_, message.take(), into, inlet.source);
  post(inlet);
}

void StageMessages::send(std::span<const Tensor> values, int destination, Tag tag) {
  if (failure_) std::rethrow_exception(failure_);
  if (!values.empty()) sends_.push_back(communicator_.isend(parallel::message_of(wire_, values), destination, tag));
}

void StageMessages::progress() noexcept {
  try {
    if (failure_) return;
    while (!sends_.empty() && sends_.front().test()) sends_.pop_front();
    for (Inlet* inlet : {&activations_, &gradients_}) {
      if (!inlet->posted.empty()) inlet->posted.front().test();
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void StageMessages::finish() {
  if (failure_) std::rethrow_exception(failure_);
  for (; !sends_.empty(); sends_.pop_front()) sends_.front().wait();
  activations_.unposted = gradients_.unposted = parts_;
}

}  // namespace edgelab::tasks
