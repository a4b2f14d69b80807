#include <string>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "parallel/communicator_impl.hpp"

namespace edgelab::parallel {
namespace {

int mpi_source(int source) { return source == Communicator::kAnySource ? MPI_ANY_SOURCE : source; }
int mpi_tag(int tag) { return tag == Communicator::kAnyTag ? MPI_ANY_TAG : tag; }

std::size_t size_of_message(const MPI_Status& status) {
  int count = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI does not tell a message's size");
  return static_cast<std::size_t>(count);
}

// Matched probe: the message found is the one received, whatever other threads do meanwhile.
std::optional<Message> take(Communicator::Impl& impl, int source, int tag) {
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status{};
  check(impl, MPI_Improbe(mpi_source(source), mpi_tag(tag), impl.handle, &found, &message, &status),
        "probe failed");
  if (found == 0) return std::nullopt;
  auto state = std::make_unique<Request::State>();
  state->impl = &impl;
  state->operation = Operation::receive;
  state->buffer.resize(size_of_message(status));
  check(impl,
        MPI_Imrecv(state->buffer.data(), static_cast<int>(state->buffer.size()), MPI_BYTE, &message, &state->handle),
        "receive failed");
  Request request(std::move(state));
  request.wait();
  return Message{request.envelope(), request.take()};
}

}  // namespace

void Communicator::send(std::span<const std::byte> bytes, int destination, int tag) const {
  impl_->require_running();
  const std::int64_t start = now_ns();
  MPI_Request request = MPI_REQUEST_NULL;
  check(*impl_, MPI_Isend(bytes.data(), count_of(bytes.size()), MPI_BYTE, destination, tag, impl_->handle, &request),
        "send failed");
  complete(*impl_, request, Operation::send, destination, "send failed");
  impl_->traffic.send_ns += now_ns() - start;
  impl_->traffic.bytes_sent += static_cast<std::int64_t>(bytes.size());
}

void Communicator::receive(std::span<std::byte> bytes, int source, int tag) const {
  impl_->require_running();
  const std::int64_t start = now_ns();
  MPI_Request request = MPI_REQUEST_NULL;
  check(*impl_,
        MPI_Irecv(bytes.data(), count_of(bytes.size()), MPI_BYTE, mpi_source(source), mpi_tag(tag), impl_->handle,
                  &request),
        "receive failed");
  const std::size_t got = size_of_message(complete(*impl_, request, Operation::receive, source, "receive failed"));
  impl_->traffic.receive_ns += now_ns() - start;
  impl_->traffic.bytes_received += static_cast<std::int64_t>(got);
  if (got != bytes.size()) {
    throw Error(ErrorKind::environment, "a message has the wrong size")
        .got(std::to_string(got) + " bytes")
        .expected(std::to_string(bytes.size()) + " bytes");
  }
}

Bytes Communicator::receive_any_size(int source, int tag) const {
  impl_->require_running();
  const std::int64_t start = now_ns();
  Backoff backoff(impl_->waiting);
  LongWait wait(*impl_, source);
  while (true) {
    std::optional<Message> message = take(*impl_, source, tag);
    if (message) {
      impl_->traffic.receive_ns += now_ns() - start;
      return std::move(message->bytes);
    }
    if (impl_->released()) throw Cancelled();
    wait.pause(backoff);
  }
}

std::optional<Message> Communicator::try_receive(int source, int tag) const {
  impl_->require_running();
  return take(*impl_, source, tag);
}

Request Communicator::isend(Bytes bytes, int destination, int tag) const {
  impl_->require_running();
  auto state = std::make_unique<Request::State>();
  state->impl = impl_.get();
  state->peer = destination;
  state->buffer = std::move(bytes);
  const int count = count_of(state->buffer.size());
  check(*impl_, MPI_Isend(state->buffer.data(), count, MPI_BYTE, destination, tag, impl_->handle, &state->handle),
        "send failed");
  impl_->traffic.bytes_sent += count;
  return Request(std::move(state));
}

Request Communicator::irecv(std::size_t bytes, int source, int tag) const {
  impl_->require_running();
  auto state = std::make_unique<Request::State>();
  state->impl = impl_.get();
  state->operation = Operation::receive;
  state->peer = source;
  const int count = count_of(bytes);
  state->buffer.resize(bytes);
  check(
      *impl_,
      MPI_Irecv(state->buffer.data(), count, MPI_BYTE, mpi_source(source), mpi_tag(tag), impl_->handle, &state->handle),
      "receive failed");
  return Request(std::move(state));
}

std::optional<Envelope> Communicator::probe(int source, int tag, std::chrono::nanoseconds timeout) const {
  const std::int64_t end = now_ns() + timeout.count();
  Backoff backoff(impl_->waiting);
  while (true) {
    int found = 0;
    MPI_Status status{};
    check(*impl_, MPI_Iprobe(mpi_source(source), mpi_tag(tag), impl_->handle, &found, &status), "probe failed");
    if (found != 0) return Envelope{status.MPI_SOURCE, status.MPI_TAG, size_of_message(status)};
    if (impl_->released()) throw Cancelled();
    if (now_ns() >= end) return std::nullopt;
    backoff.pause();
  }
}

}  // namespace edgelab::parallel
