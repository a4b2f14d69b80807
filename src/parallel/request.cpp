#include "parallel/request.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/clock.hpp"
#include "parallel/communicator_impl.hpp"

namespace edgelab::parallel {
namespace {

// Buffers of requests that were destroyed before MPI was done with them. Swept whenever one more comes.
class Orphans {
 public:
  void adopt(MPI_Request handle, Bytes buffer) {
    const std::lock_guard lock(mutex_);
    std::erase_if(orphans_, [](Orphan& orphan) { return complete_now(orphan.handle); });
    orphans_.push_back({handle, std::move(buffer)});
  }
  static bool complete_now(MPI_Request& handle) {
    int done = 0;
    return MPI_Test(&handle, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done != 0;
  }

 private:
  struct Orphan {
    MPI_Request handle;
    Bytes buffer;
  };
  std::mutex mutex_;
  std::vector<Orphan> orphans_;
};

Orphans& orphans() {
  // Leaked on purpose: at exit MPI may still hold the buffers.
  static auto* const instance = new Orphans;
  return *instance;
}

void let_go(Request::State& state) noexcept {
  if (state.handle == MPI_REQUEST_NULL || Orphans::complete_now(state.handle)) return;
  if (state.operation == Operation::receive) {
    MPI_Cancel(&state.handle);
    if (Orphans::complete_now(state.handle)) return;
  }
  state.impl->abandoned = true;
  try {
    orphans().adopt(state.handle, std::move(state.buffer));
  } catch (...) {  // out of memory: better to leak the buffer than to free it under MPI
    new Bytes(std::move(state.buffer));
  }
}

void note(Request::State& state, const MPI_Status& status) {
  if (state.operation != Operation::receive) return;
  int count = 0;
  MPI_Get_count(&status, MPI_BYTE, &count);
  state.envelope = {status.MPI_SOURCE, status.MPI_TAG, static_cast<std::size_t>(count)};
  state.buffer.resize(state.envelope.bytes);
  state.impl->traffic.bytes_received += count;
}

const char* failure_of(Operation operation) {
  switch (operation) {
    case Operation::send: return "send failed";
    case Operation::receive: return "receive failed";
    case Operation::collective: return "all_reduce failed";
  }
  return "";
}

}  // namespace

Request::Request(std::unique_ptr<State> state) : state_(std::move(state)) {}
Request::Request(Request&&) noexcept = default;

Request& Request::operator=(Request&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Request::~Request() {
  if (state_ != nullptr) let_go(*state_);
}

bool Request::test() {
  if (state_->handle == MPI_REQUEST_NULL) return true;
  int done = 0;
  MPI_Status status{};
  check(*state_->impl, MPI_Test(&state_->handle, &done, &status), failure_of(state_->operation));
  if (done != 0) note(*state_, status);
  return done != 0;
}

void Request::wait() {
  if (state_->handle == MPI_REQUEST_NULL) return;
  const std::int64_t start = now_ns();
  const MPI_Status status = complete(*state_->impl, state_->handle, state_->operation, state_->peer, failure_of(state_->operation));
  state_->impl->traffic.wait_ns += now_ns() - start;
  note(*state_, status);
}

Bytes Request::take() { return std::move(state_->buffer); }
const Envelope& Request::envelope() const { return state_->envelope; }

}  // namespace edgelab::parallel
