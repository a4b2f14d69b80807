#include "parallel/span_log.hpp"

namespace edgelab::parallel {

void SpanLog::record(std::size_t most) {
  spans_.clear();
  spans_.reserve(most);  // recording must not allocate while it is measured
  most_ = most;
  full_ = false;
  microbatch_ = -1;
}

void SpanLog::keep(Span::Kind kind, std::int64_t start_ns, std::int64_t end_ns) {
  if (full_ || end_ns <= start_ns) return;
  if (spans_.size() == most_) {
    full_ = true;
    cut_in_ = microbatch_;
    return;
  }
  spans_.push_back({kind, microbatch_, start_ns, end_ns});
}

void SpanLog::add(Span::Kind kind, std::int64_t start_ns, std::int64_t end_ns) {
  if (computing_since_ns_ >= 0) {
    keep(Span::Kind::compute, computing_since_ns_, start_ns);
    computing_since_ns_ = end_ns;
  }
  keep(kind, start_ns, end_ns);
}

void SpanLog::begin_compute(std::int64_t now) { computing_since_ns_ = now; }

void SpanLog::end_compute(std::int64_t now) {
  keep(Span::Kind::compute, computing_since_ns_, now);
  computing_since_ns_ = -1;
}

}  // namespace edgelab::parallel
