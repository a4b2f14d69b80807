#include "parallel/mpi_transport.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "core/clock.hpp"

namespace edgelab::parallel {
namespace {

enum Tag : int { kStrips = 1, kAddends, kSums };

using kernels::Strip;
using kernels::StripExchange;

// A rank's rows of a sum: all but equal shares, none where there are fewer rows than ranks.
struct Share {
  Share(std::int64_t all, int rank, int ranks) : begin(all * rank / ranks), rows(all * (rank + 1) / ranks - begin) {}
  std::int64_t begin, rows;
};

// What travels of a strip, one row after another.
class Packing {
 public:
  Packing(const StripExchange& strips, std::int64_t tensor_rows) : s_(strips), tensor_rows_(tensor_rows) {}
  std::int64_t elements(const Strip& strip) const { return s_.outer * strip.rows * (s_.row_elements - s_.first_element); }
  // Calls with the offset of each row in the tensor and in the packed strip, in bytes, and its bytes.
  template <class Function> void each_row(const Strip& strip, Function function) const {
    const std::size_t size = size_of(s_.dtype), bytes = static_cast<std::size_t>(s_.row_elements - s_.first_element) * size;
    std::size_t packed = 0;
    for (std::int64_t o = 0; o < s_.outer; ++o) {
      for (std::int64_t row = 0; row < strip.rows; ++row, packed += bytes) {
        const std::int64_t at = (o * tensor_rows_ + strip.begin + row) * s_.row_elements + s_.first_element;
        function(static_cast<std::size_t>(at) * size, packed, bytes);
      }
    }
  }

 private:
  const StripExchange& s_;
  std::int64_t tensor_rows_;
};

std::size_t bytes_of(const StripExchange& s, Wire wire, std::int64_t elements) {
  return s.dtype == DType::f32 ? wire_bytes(wire, elements / s.scaled_elements, s.scaled_elements) : static_cast<std::size_t>(elements) * size_of(s.dtype);
}

}  // namespace

template <class Work> void MpiTransport::receive(Request& request, Work work) {
  const std::int64_t start = now_ns();
  request.wait();
  const std::int64_t here = now_ns();
  const Bytes bytes = request.take();
  work(bytes);
  log_.add(Span::Kind::wait, start, here);
  log_.add(Span::Kind::receive, here, now_ns());
}

void MpiTransport::wait_for(std::vector<Request>& requests) {
  const std::int64_t start = now_ns();
  for (Request& request : requests) request.wait();
  log_.add(Span::Kind::wait, start, now_ns());
}

void MpiTransport::exchange(const StripExchange& s, const std::byte* from, std::byte* to) {
  const std::int64_t start = now_ns();
  const Packing here(s, s.rows_here), wanted(s, s.rows_wanted);
  std::vector<Request> receives, sends;
  for (const Strip& strip : s.receives) receives.push_back(group_.irecv(bytes_of(s, wire_, wanted.elements(strip)), strip.rank, kStrips));
  const auto message = [&](const Strip& strip) {
    const std::int64_t elements = here.elements(strip);
    Bytes bytes(bytes_of(s, wire_, elements));
    if (s.dtype == DType::f32 && wire_ != Wire::fp32) {
      rows_.resize(static_cast<std::size_t>(elements));
      auto* rows = reinterpret_cast<std::byte*>(rows_.data());
      here.each_row(strip, [&](std::size_t at, std::size_t packed, std::size_t count) { std::memcpy(rows + packed, from + at, count); });
      encode(wire_, rows_.data(), elements / s.scaled_elements, s.scaled_elements, bytes.data());
    } else {
      here.each_row(strip, [&](std::size_t at, std::size_t packed, std::size_t count) { std::memcpy(bytes.data() + packed, from + at, count); });
    }
    return bytes;
  };
  // Most often all get the same rows, which are then converted once.
  const auto the_same = [&](std::size_t a, std::size_t b) { return s.sends[a].begin == s.sends[b].begin && s.sends[a].rows == s.sends[b].rows; };
  Bytes bytes;
  for (std::size_t i = 0; i < s.sends.size(); ++i) {
    if (i == 0 || !the_same(i, i - 1)) bytes = message(s.sends[i]);
    const bool again = i + 1 < s.sends.size() && the_same(i, i + 1);
    sends.push_back(group_.isend(again ? Bytes(bytes) : std::move(bytes), s.sends[i].rank, kStrips));
  }
  log_.add(Span::Kind::send, start, now_ns());
  for (std::size_t i = 0; i < receives.size(); ++i) {
    const Strip& strip = s.receives[i];
    const std::int64_t elements = wanted.elements(strip);
    receive(receives[i], [&](const Bytes& received) {
      const std::byte* rows = received.data();
      if (s.dtype == DType::f32 && wire_ != Wire::fp32) {
        rows_.resize(static_cast<std::size_t>(elements));
        decode(wire_, received.data(), elements / s.scaled_elements, s.scaled_elements, rows_.data());
        rows = reinterpret_cast<const std::byte*>(rows_.data());
      }
      wanted.each_row(strip, [&](std::size_t at, std::size_t packed, std::size_t count) { std::memcpy(to + at, rows + packed, count); });
    });
  }
  wait_for(sends);
  total_ns_ += now_ns() - start;
}

void MpiTransport::all_reduce(float* values, std::int64_t rows, std::int64_t width) {
  const int ranks = size(), me = rank();
  if (ranks == 1) return;
  const std::int64_t start = now_ns();
  const auto share_of = [&](int r) { return Share(rows, r, ranks); };
  const auto bytes_for = [&](int r) { return wire_bytes(wire_, share_of(r).rows, width); };
  const auto at = [&](int r) { return values + share_of(r).begin * width; };
  const Share mine = share_of(me);
  std::vector<Request> addends, sums, sends;
  std::vector<int> others;
  for (int r = 0; r < ranks; ++r) {
    if (r != me) others.push_back(r);
  }
  for (const int r : others) {
    addends.push_back(group_.irecv(bytes_for(me), r, kAddends));
    sums.push_back(group_.irecv(bytes_for(r), r, kSums));
  }
  for (const int r : others) {
    Bytes bytes(bytes_for(r));
    encode(wire_, at(r), share_of(r).rows, width, bytes.data());
    sends.push_back(group_.isend(std::move(bytes), r, kAddends));
  }
  log_.add(Span::Kind::send, start, now_ns());
  const auto elements = static_cast<std::size_t>(mine.rows * width);
  sums_.assign(elements, 0.0f);
  rows_.resize(elements);
  const auto add_up = [&](const float* addend) {
    for (std::size_t i = 0; i < elements; ++i) sums_[i] += addend[i];
  };
  for (int r = 0; r < ranks; ++r) {  // in the ranks' order, so that it does not matter who adds up
    if (r == me) {
      add_up(at(me));
    } else {
      receive(addends[static_cast<std::size_t>(r < me ? r : r - 1)], [&](const Bytes& bytes) {
        decode(wire_, bytes.data(), mine.rows, width, rows_.data());
        add_up(rows_.data());
      });
    }
  }
  const std::int64_t summed = now_ns();
  Bytes encoded(bytes_for(me));
  encode(wire_, sums_.data(), mine.rows, width, encoded.data());
  for (const int r : others) sends.push_back(group_.isend(Bytes(encoded), r, kSums));
  decode(wire_, encoded.data(), mine.rows, width, at(me));
  log_.add(Span::Kind::send, summed, now_ns());
  for (std::size_t i = 0; i < others.size(); ++i) {
    receive(sums[i], [&](const Bytes& bytes) { decode(wire_, bytes.data(), share_of(others[i]).rows, width, at(others[i])); });
  }
  wait_for(sends);
  total_ns_ += now_ns() - start;
}

}  // namespace edgelab::parallel
