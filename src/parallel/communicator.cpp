#include "parallel/communicator.hpp"

#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "parallel/communicator_impl.hpp"
#include "parallel/failures.hpp"
#include "parallel/numbers.hpp"

namespace edgelab::parallel {
namespace {

// Long enough for messages under way to land, short enough for mpirun, which kills one second after SIGTERM.
constexpr std::int64_t kDrainNs = 5'000'000;

std::unique_ptr<Communicator::Impl> duplicate_of(MPI_Comm original) {
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(original, &copy), "a communicator could not be duplicated");
  return adopt(copy);
}

// What every member has begun completes within the drain; what waits for a member that never began is given up.
bool drained(MPI_Request& request, Operation operation, MPI_Status& status) {
  if (operation == Operation::receive) MPI_Cancel(&request);
  const std::int64_t end = now_ns() + kDrainNs;
  Backoff backoff{Waiting{}};
  do {
    int done = 0;
    if (MPI_Test(&request, &done, &status) != MPI_SUCCESS || done != 0) return true;
    backoff.pause();
  } while (now_ns() < end);
  return false;
}

}  // namespace

std::unique_ptr<Communicator::Impl> adopt(MPI_Comm handle) {
  auto impl = std::make_unique<Communicator::Impl>();
  impl->handle = handle;
  check(MPI_Comm_rank(handle, &impl->rank), "MPI does not tell the rank");
  check(MPI_Comm_size(handle, &impl->size), "MPI does not tell the number of ranks");
  return impl;
}

Group Group::of(MPI_Comm communicator) {
  Group all;
  check(MPI_Comm_group(communicator, &all.handle), "MPI does not tell a communicator's group");
  return all;
}

Group::Group(MPI_Comm parent, std::span<const int> ranks) {
  const Group all = of(parent);
  check(MPI_Group_incl(all.handle, static_cast<int>(ranks.size()), ranks.data(), &handle),
        "a group of ranks could not be made");
}

int count_of(std::size_t elements) {
  if (elements <= static_cast<std::size_t>(std::numeric_limits<int>::max())) return static_cast<int>(elements);
  throw Error(ErrorKind::usage, "a message is too large for MPI")
      .got(std::to_string(elements) + " bytes")
      .expected("less than 2 GiB");
}

void LongWait::tell() {
  int peer = CancelToken::kEverybody;
  if (peer_ != Communicator::kAnySource) {
    const Group here = Group::of(impl_.handle), world = Group::of(MPI_COMM_WORLD);
    check_quietly(MPI_Group_translate_ranks(here.handle, 1, &peer_, world.handle, &peer), "MPI does not tell a rank's number in the world");
  }
  impl_.cancel->waits({peer, now_ns() / 1'000'000});
  told_ = true;
}

MPI_Status complete(Communicator::Impl& impl, MPI_Request& request, Operation operation, int peer, const char* what) {
  Backoff backoff(impl.waiting);
  LongWait wait(impl, peer);
  MPI_Status status{};
  while (true) {
    int done = 0;
    const int code = MPI_Test(&request, &done, &status);
    if (code == MPI_SUCCESS && done != 0) return status;
    if (code != MPI_SUCCESS || impl.released()) {
      // A failed receive from any source is still under way, as all is that was only released.
      if (request != MPI_REQUEST_NULL && !drained(request, operation, status)) impl.abandoned = true;
      check(impl, code, what);
      throw Cancelled();
    }
    wait.pause(backoff);
  }
}

Communicator::Communicator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Communicator::Communicator(Communicator&&) noexcept = default;

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

// One that was left early is never freed: messages may be under way on it still, and Open MPI gives its number to the next communicator
// that is made, which would take them for its own. It costs some kB for each attempt that fails or is cancelled.
Communicator::~Communicator() {
  if (impl_ == nullptr || impl_->left_early()) return;
  int finished = 0;
  MPI_Finalized(&finished);
  if (finished == 0) check_quietly(MPI_Comm_free(&impl_->handle), "a communicator could not be freed");
}

Communicator Communicator::world() { return Communicator(duplicate_of(MPI_COMM_WORLD)); }
Communicator Communicator::self() { return Communicator(duplicate_of(MPI_COMM_SELF)); }

Communicator Communicator::duplicate() const {
  impl_->require_running();
  Communicator copy(duplicate_of(impl_->handle));
  copy.impl_->waiting = impl_->waiting;
  copy.impl_->cancel = impl_->cancel;
  return copy;
}

Communicator Communicator::create_group(std::span<const int> ranks, int tag,
                                        std::shared_ptr<const CancelToken> token) const {
  impl_->require_running();
  const bool survives = survives_failures();
  if (survives) meet(*impl_, ranks, tag, token.get());
  const Group group(impl_->handle, ranks);
  MPI_Comm made = MPI_COMM_NULL;
  const auto create = survives ? create_group_regardless : MPI_Comm_create_group;
  check(*impl_, create(impl_->handle, group.handle, tag, &made), "a job's communicator could not be made");
  Communicator communicator(adopt(made));
  communicator.impl_->waiting = impl_->waiting;
  communicator.impl_->cancel = token != nullptr ? std::move(token) : impl_->cancel;
  return communicator;
}

int Communicator::rank() const { return impl_->rank; }
int Communicator::size() const { return impl_->size; }
void Communicator::set_waiting(const Waiting& waiting) { impl_->waiting = waiting; }
void Communicator::cancel_by(std::shared_ptr<const CancelToken> token) { impl_->cancel = std::move(token); }
Traffic Communicator::traffic() const { return impl_->traffic; }

HostLayout Communicator::host_layout() const {
  const HostIdentity mine = this_host();
  const std::string text = mine.name + '\n' + mine.boot;
  std::vector<HostIdentity> all;
  for (const Bytes& bytes : all_gather(std::as_bytes(std::span(text)))) {
    const std::string theirs = text_of(bytes);
    const std::size_t cut = theirs.find('\n');
    all.push_back({theirs.substr(0, cut), theirs.substr(cut + 1)});
  }
  return layout_of(all);
}

}  // namespace edgelab::parallel
