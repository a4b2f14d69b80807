#include "parallel/stage.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"

namespace edgelab::parallel {
namespace {

constexpr int kActivations = 1, kAnswers = 2;  // tags
// Messages a rank has under way to or from another stage: one that is worked on elsewhere, and one on its way.
constexpr std::size_t kAhead = 2;

template <class View> std::vector<Tensor> all_of(std::size_t count, View view) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < count; ++i) tensors.push_back(view(i));
  return tensors;
}

}  // namespace

Stage::Stage(const Communicator& communicator, const Seat& seat, runtime::Executable& executable, Wire wire, std::int64_t answer_floats, SpanLog& log)
    : communicator_(communicator), seat_(seat), executable_(executable), wire_(wire), answer_floats_(answer_floats), log_(log),
      inputs_(all_of(executable.plan().inputs().size(), [&](std::size_t i) { return executable.input(i); })),
      outputs_(all_of(executable.plan().outputs().size(), [&](std::size_t i) { return executable.output(i); })) {
  // MPI moves a large message on only when it is called, so a send overlaps with what comes after it only if that calls MPI.
  if (seat_.stages > 1) executable_.after_each_step([this](std::size_t) { progress(); });
}

Stage::~Stage() { executable_.after_each_step({}); }

template <class Wait> void Stage::waited(Wait wait) {
  const std::int64_t start = now_ns();
  wait();
  const std::int64_t end = now_ns();
  spans_.wait_ns += end - start;
  log_.add(Span::Kind::wait, start, end);
}

void Stage::progress() noexcept {
  try {
    if (failure_) return;
    while (!sends_.empty() && sends_.front().test()) sends_.pop_front();
    if (!receives_.empty()) receives_.front().test();
    for (Entered& entered : in_flight_) {
      if (entered.left_ns != 0) continue;
      if (!entered.answer.test()) break;
      entered.left_ns = now_ns();
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void Stage::compute() {
  const std::int64_t start = now_ns();
  log_.begin_compute(start);
  executable_.run();
  const std::int64_t end = now_ns();
  spans_.compute_ns += end - start;
  log_.end_compute(end);
  if (failure_) std::rethrow_exception(failure_);
}

void Stage::receive_ahead(std::int64_t index, std::int64_t count) {
  const int source = seat_.rank_of(seat_.stage - 1, seat_.member);
  while (receives_.size() < kAhead && index + static_cast<std::int64_t>(receives_.size()) < count) {
    receives_.push_back(communicator_.irecv(message_bytes(wire_, inputs_), source, kActivations));
  }
}

void Stage::take_in(std::int64_t index, std::int64_t count) {
  receive_ahead(index, count);
  Request message = std::move(receives_.front());
  receives_.pop_front();
  waited([&] { message.wait(); });
  const std::int64_t start = now_ns();
  take_message(wire_, message.take(), inputs_, message.envelope().source);
  const std::int64_t end = now_ns();
  spans_.receive_ns += end - start;
  log_.add(Span::Kind::receive, start, end);
  receive_ahead(index + 1, count);
}

void Stage::hand_on(std::int64_t index, const Take& take) {
  if (seat_.last()) {
    if (seat_.member != 0) return;
    const Tensor output = executable_.output();
    const auto answer = output.as<float>().first(static_cast<std::size_t>(answer_floats_));
    if (seat_.leads()) return take({index, answer, entered_ns_, now_ns()});
    const auto bytes = std::as_bytes(answer);
    sends_.push_back(communicator_.isend(Bytes(bytes.begin(), bytes.end()), 0, kAnswers));
    return;
  }
  if (sends_.size() >= kAhead) {
    waited([&] { sends_.front().wait(); });
    sends_.pop_front();
  }
  const std::int64_t start = now_ns();
  sends_.push_back(communicator_.isend(message_of(wire_, outputs_), seat_.rank_of(seat_.stage + 1, seat_.member), kActivations));
  const std::int64_t end = now_ns();
  spans_.send_ns += end - start;
  log_.add(Span::Kind::send, start, end);
}

// Takes answers that are here, and waits for them while more than `leave` are under way.
void Stage::collect(const Take& take, std::size_t leave) {
  progress();
  if (failure_) std::rethrow_exception(failure_);
  while (!in_flight_.empty() && (in_flight_.front().left_ns != 0 || in_flight_.size() > leave)) {
    Entered& oldest = in_flight_.front();
    if (oldest.left_ns == 0) {
      waited([&] { oldest.answer.wait(); });
      oldest.left_ns = now_ns();
    }
    const Bytes bytes = oldest.answer.take();
    const auto* values = reinterpret_cast<const float*>(bytes.data());
    take({oldest.index, {values, bytes.size() / sizeof(float)}, oldest.entered_ns, oldest.left_ns});
    in_flight_.pop_front();
  }
}

void Stage::run(std::int64_t count, const Fill& fill, const Take& take) {
  const auto most = static_cast<std::size_t>(most_in_flight(seat_.stages));
  const int answers_from = seat_.rank_of(seat_.stages - 1, 0);
  for (std::int64_t index = 0; index < count; ++index) {
    log_.at(index);
    if (seat_.leads()) {
      collect(take, most - 1);
      fill(index, executable_.input());
      entered_ns_ = now_ns();
      if (!seat_.last()) {
        const std::size_t bytes = static_cast<std::size_t>(answer_floats_) * sizeof(float);
        in_flight_.push_back({index, entered_ns_, 0, communicator_.irecv(bytes, answers_from, kAnswers)});
      }
    } else if (seat_.stage > 0) {
      take_in(index, count);
    }
    compute();
    hand_on(index, take);
  }
  if (seat_.leads()) collect(take, 0);
  for (; !sends_.empty(); sends_.pop_front()) waited([&] { sends_.front().wait(); });
}

}  // namespace edgelab::parallel
