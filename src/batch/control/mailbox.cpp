#include "batch/control/mailbox.hpp"

#include <utility>

#include "parallel/failures.hpp"

namespace edgelab::batch {
namespace {

using namespace std::chrono_literals;
constexpr parallel::Waiting kControlWaiting{0us, 20us, 20us, 5ms};

}  // namespace

Mailbox::Mailbox(parallel::Communicator control) : control_(std::move(control)) {}

void Mailbox::put(int destination, Kind kind, parallel::Bytes bytes) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back({destination, kind, std::move(bytes)});
  }
  posted_signal_.notify_one();
}

// A receive from any source is also how this rank learns that another died: it fails once for each. What the dead one sent
// in full before is still received.
std::optional<Letter> Mailbox::receive() {
  try {
    auto message = control_.try_receive(parallel::Communicator::kAnySource, parallel::Communicator::kAnyTag);
    if (!message) return std::nullopt;
    return Letter{message->envelope.source, static_cast<Kind>(message->envelope.tag), std::move(message->bytes)};
  } catch (const parallel::PeerFailed&) {
    note_deaths();
    return std::nullopt;
  }
}

void Mailbox::note_deaths() {
  for (const int rank : control_.failed()) {
    if (dead_.count(rank) == 0) newly_dead_.insert(rank);
  }
}

std::vector<int> Mailbox::take_deaths() {
  std::vector<int> ranks(newly_dead_.begin(), newly_dead_.end());
  dead_.merge(newly_dead_);
  newly_dead_.clear();
  return ranks;
}

bool Mailbox::send_posted() {
  std::deque<Posted> mail;
  {
    const std::lock_guard lock(mutex_);
    mail.swap(posted_);
  }
  for (Posted& letter : mail) send(std::move(letter));
  std::erase_if(sending_, [this](parallel::Request& request) { return sent(request); });
  return !mail.empty();
}

void Mailbox::send(Posted letter) {
  if (dead_.count(letter.destination) > 0) return;
  try {
    sending_.push_back(control_.isend(std::move(letter.bytes), letter.destination, static_cast<int>(letter.kind)));
  } catch (const parallel::PeerFailed&) {
    note_deaths();
  }
}

bool Mailbox::sent(parallel::Request& request) {
  try {
    return request.test();
  } catch (const parallel::PeerFailed&) {  // to the dead
    note_deaths();
    return true;
  }
}

bool Mailbox::all_sent() {
  send_posted();
  return sending_.empty();
}

void Mailbox::pause() {
  if (!backoff_) backoff_.emplace(kControlWaiting);
  const std::chrono::nanoseconds sleep = backoff_->next_sleep();
  std::unique_lock lock(mutex_);
  if (!posted_.empty() || sleep.count() == 0) return;
  posted_signal_.wait_for(lock, sleep);
}

}  // namespace edgelab::batch
