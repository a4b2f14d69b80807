#include "batch/control/job_communicators.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "parallel/failures.hpp"

namespace edgelab::batch {
namespace {

std::vector<int> all_ranks(int size) {
  std::vector<int> ranks(static_cast<std::size_t>(size));
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

using namespace std::chrono_literals;
constexpr auto kPatience = 5s;

class Making {
 public:
  Making(std::mutex& mutex, std::optional<int>& making, int generation) : mutex_(mutex), making_(making) {
    const std::lock_guard lock(mutex_);
    making_ = generation;
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;
  ~Making() {
    const std::lock_guard lock(mutex_);
    making_.reset();
  }

 private:
  std::mutex& mutex_;
  std::optional<int>& making_;
};

}  // namespace

JobCommunicators::JobCommunicators(parallel::Communicator first, std::function<void()> hangs)
    : shared_(std::make_shared<Shared>()) {
  shared_->hangs = std::move(hangs);
  shared_->newest.ranks = all_ranks(first.size());
  shared_->newest.communicator = std::make_shared<const parallel::Communicator>(std::move(first));
}

JobCommunicators::~JobCommunicators() {
  const std::lock_guard lock(shared_->mutex);
  shared_->hangs = nullptr;
}

void JobCommunicators::regroup(int generation, const std::vector<int>& survivors) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (generation <= shared_->newest.generation) return;
    shared_->newest = {generation, survivors, nullptr, ""};
  }
  std::thread([shared = shared_, generation, survivors] { make_parent(*shared, generation, survivors); }).detach();
  std::thread([shared = shared_, generation] { look_after_older(*shared, generation); }).detach();
}

// Whoever is still at work on an older parent so long after a rank of it died is in MPI_Comm_create_group for ever.
void JobCommunicators::look_after_older(Shared& shared, int generation) {
  for (auto waited = 0ms; waited < kPatience; waited += 50ms) {
    std::this_thread::sleep_for(50ms);
    const std::lock_guard lock(shared.mutex);
    if (!shared.making || *shared.making >= generation) return;
  }
  const std::lock_guard lock(shared.mutex);
  if (shared.hangs) shared.hangs();
}

void JobCommunicators::make_parent(Shared& shared, int generation, const std::vector<int>& survivors) {
  Parent made{generation, survivors, nullptr, ""};
  try {
    const std::string name = "edgelab survivors " + std::to_string(generation);
    made.communicator = std::make_shared<const parallel::Communicator>(parallel::Communicator::afresh(survivors, name));
  } catch (const std::exception& error) {
    made.failure = error.what();
  }
  const std::lock_guard lock(shared.mutex);
  if (shared.newest.generation == generation) shared.newest = std::move(made);
}

JobCommunicators::Parent JobCommunicators::newest() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->newest;
}

JobCommunicators::Parent JobCommunicators::parent_of(int generation,
                                                     const std::shared_ptr<const CancelToken>& token) const {
  parallel::Backoff backoff{parallel::Waiting{}};
  while (true) {
    Parent parent = newest();
    if (parent.generation > generation) throw parallel::PeerFailed({});
    if (parent.generation == generation && parent.communicator != nullptr) return parent;
    if (parent.generation == generation && !parent.failure.empty()) throw Error(ErrorKind::environment, parent.failure);
    if (token->released()) throw Cancelled();
    backoff.pause();
  }
}

parallel::Communicator JobCommunicators::make(const std::vector<int>& ranks, int tag, int generation,
                                              const std::shared_ptr<const CancelToken>& token) const {
  const Parent parent = parent_of(generation, token);
  std::vector<int> places;
  for (const int rank : ranks) {
    const auto found = std::lower_bound(parent.ranks.begin(), parent.ranks.end(), rank);
    places.push_back(static_cast<int>(found - parent.ranks.begin()));
  }
  const Making making(shared_->mutex, shared_->making, generation);
  return parent.communicator->create_group(places, tag, token);
}

}  // namespace edgelab::batch
