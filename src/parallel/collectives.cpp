#include <algorithm>
#include <numeric>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "parallel/communicator_impl.hpp"

namespace edgelab::parallel {
namespace {

using Impl = Communicator::Impl;

// Elements a call to MPI: below its int count, and enough that splitting costs nothing.
constexpr std::size_t kPiece = std::size_t{1} << 28;

void finish(Impl& impl, MPI_Request& request, const char* what) {
  const std::int64_t start = now_ns();
  complete(impl, request, Operation::collective, Communicator::kAnySource, what);
  impl.traffic.wait_ns += now_ns() - start;
}

MPI_Op operation_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::sum: return MPI_SUM;
    case Reduction::max: return MPI_MAX;
    case Reduction::min: return MPI_MIN;
  }
  return MPI_SUM;
}

template <class T> void reduce_everywhere(Impl& impl, std::span<T> values, MPI_Datatype type, Reduction reduction) {
  impl.require_running();
  impl.traffic.bytes_sent += static_cast<std::int64_t>(values.size_bytes());
  impl.traffic.bytes_received += static_cast<std::int64_t>(values.size_bytes());
  for (std::size_t begin = 0; begin < values.size(); begin += kPiece) {
    const int count = static_cast<int>(std::min(kPiece, values.size() - begin));
    MPI_Request request = MPI_REQUEST_NULL;
    check(impl,
          MPI_Iallreduce(MPI_IN_PLACE, values.data() + begin, count, type, operation_of(reduction), impl.handle,
                         &request),
          "all_reduce failed");
    finish(impl, request, "all_reduce failed");
  }
}

struct Places {
  std::vector<int> counts, offsets;
  int total = 0;
};

Places places_of(const std::vector<std::int64_t>& sizes) {
  count_of(static_cast<std::size_t>(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0})));
  Places places;
  for (const std::int64_t size : sizes) {
    places.offsets.push_back(places.total);
    places.counts.push_back(static_cast<int>(size));
    places.total += static_cast<int>(size);
  }
  return places;
}

std::vector<Bytes> split(const Bytes& joined, const Places& places) {
  std::vector<Bytes> parts;
  for (std::size_t rank = 0; rank < places.counts.size(); ++rank) {
    const auto begin = joined.begin() + places.offsets[rank];
    parts.emplace_back(begin, begin + places.counts[rank]);
  }
  return parts;
}

std::vector<std::int64_t> sizes_everywhere(Impl& impl, std::size_t mine) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(impl.size));
  const auto size = static_cast<std::int64_t>(mine);
  MPI_Request request = MPI_REQUEST_NULL;
  check(impl, MPI_Iallgather(&size, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, impl.handle, &request),
        "all_gather failed");
  finish(impl, request, "all_gather failed");
  return sizes;
}

}  // namespace

void Communicator::barrier() const {
  impl_->require_running();
  MPI_Request request = MPI_REQUEST_NULL;
  check(*impl_, MPI_Ibarrier(impl_->handle, &request), "barrier failed");
  finish(*impl_, request, "barrier failed");
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  impl_->require_running();
  (impl_->rank == root ? impl_->traffic.bytes_sent : impl_->traffic.bytes_received) += static_cast<std::int64_t>(bytes.size());
  for (std::size_t begin = 0; begin < bytes.size(); begin += kPiece) {
    const int count = static_cast<int>(std::min(kPiece, bytes.size() - begin));
    MPI_Request request = MPI_REQUEST_NULL;
    check(*impl_, MPI_Ibcast(bytes.data() + begin, count, MPI_BYTE, root, impl_->handle, &request), "broadcast failed");
    finish(*impl_, request, "broadcast failed");
  }
}

void Communicator::broadcast(Bytes& bytes, int root) const {
  std::int64_t size = static_cast<std::int64_t>(bytes.size());
  broadcast(std::span<std::int64_t>(&size, 1), root);
  bytes.resize(static_cast<std::size_t>(size));
  broadcast(std::span<std::byte>(bytes), root);
}

void Communicator::all_reduce(std::span<float> values, Reduction reduction) const {
  reduce_everywhere(*impl_, values, MPI_FLOAT, reduction);
}
void Communicator::all_reduce(std::span<double> values, Reduction reduction) const {
  reduce_everywhere(*impl_, values, MPI_DOUBLE, reduction);
}
void Communicator::all_reduce(std::span<std::int64_t> values, Reduction reduction) const {
  reduce_everywhere(*impl_, values, MPI_INT64_T, reduction);
}

// The sizes go to every rank, root or not, so that a total too large is an Error everywhere and nobody waits in vain.
Request Communicator::start_all_reduce(Bytes floats, Reduction reduction) const {
  impl_->require_running();
  auto state = std::make_unique<Request::State>();
  state->impl = impl_.get();
  state->operation = Operation::collective;
  state->buffer = std::move(floats);
  const int count = count_of(state->buffer.size() / sizeof(float));
  check(*impl_, MPI_Iallreduce(MPI_IN_PLACE, state->buffer.data(), count, MPI_FLOAT, operation_of(reduction), impl_->handle, &state->handle),
        "all_reduce failed");
  impl_->traffic.bytes_sent += static_cast<std::int64_t>(state->buffer.size());
  impl_->traffic.bytes_received += static_cast<std::int64_t>(state->buffer.size());
  return Request(std::move(state));
}

std::vector<Bytes> Communicator::gather(std::span<const std::byte> bytes, int root) const {
  impl_->require_running();
  const Places places = places_of(sizes_everywhere(*impl_, bytes.size()));
  const bool receives = impl_->rank == root;
  Bytes joined(receives ? static_cast<std::size_t>(places.total) : 0);
  MPI_Request request = MPI_REQUEST_NULL;
  check(*impl_,
        MPI_Igatherv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, joined.data(), places.counts.data(),
                     places.offsets.data(), MPI_BYTE, root, impl_->handle, &request),
        "gather failed");
  finish(*impl_, request, "gather failed");
  impl_->traffic.bytes_sent += static_cast<std::int64_t>(bytes.size());
  impl_->traffic.bytes_received += static_cast<std::int64_t>(joined.size());
  return receives ? split(joined, places) : std::vector<Bytes>{};
}

std::vector<Bytes> Communicator::all_gather(std::span<const std::byte> bytes) const {
  impl_->require_running();
  const Places places = places_of(sizes_everywhere(*impl_, bytes.size()));
  Bytes joined(static_cast<std::size_t>(places.total));
  MPI_Request request = MPI_REQUEST_NULL;
  check(*impl_,
        MPI_Iallgatherv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, joined.data(), places.counts.data(),
                        places.offsets.data(), MPI_BYTE, impl_->handle, &request),
        "all_gather failed");
  finish(*impl_, request, "all_gather failed");
  impl_->traffic.bytes_sent += static_cast<std::int64_t>(bytes.size());
  impl_->traffic.bytes_received += places.total;
  return split(joined, places);
}

}  // namespace edgelab::parallel
