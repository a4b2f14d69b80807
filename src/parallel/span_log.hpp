#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgelab::parallel {

// What a rank did from one time to another (now_ns()), for which micro-batch.
struct Span {
  enum class Kind : std::int32_t { compute, send, receive, wait };
  Kind kind = Kind::compute;
  std::int64_t microbatch = 0, start_ns = 0, end_ns = 0;
  bool operator==(const Span&) const = default;
};

// Who computed, sent, received and waited when. Keeps nothing until it is told to; then so many spans at most, in order. One thread's.
class SpanLog {
 public:
  // Begins anew, with the micro-batch to come as number `first`.
  void record(std::size_t most);
  void number_from(std::int64_t first) { first_ = first; }
  // What follows is for this micro-batch, counted from number_from().
  void at(std::int64_t index) { microbatch_ = first_ + index; }

  void add(Span::Kind kind, std::int64_t start_ns, std::int64_t end_ns);
  // Between the two is computation, less what is added meanwhile: messages of the layers themselves.
  void begin_compute(std::int64_t now);
  void end_compute(std::int64_t now);

  // Micro-batches below this number are in it whole.
  std::int64_t whole_until() const { return full_ ? cut_in_ : microbatch_ + 1; }
  const std::vector<Span>& spans() const { return spans_; }

 private:
  void keep(Span::Kind kind, std::int64_t start_ns, std::int64_t end_ns);

  std::vector<Span> spans_;
  std::size_t most_ = 0;
  std::int64_t first_ = 0, microbatch_ = -1, computing_since_ns_ = -1, cut_in_ = 0;
  bool full_ = true;  // nothing more is kept
};

}  // namespace edgelab::parallel
