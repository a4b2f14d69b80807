#include "batch/control/mailbox.hpp"

#include <utility>

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

std::optional<Letter> Mailbox::receive() {
  const auto found = control_.probe(parallel::Communicator::kAnySource, parallel::Communicator::kAnyTag, 0ns);
  if (!found) return std::nullopt;
  return Letter{found->source, static_cast<Kind>(found->tag), control_.receive_any_size(found->source, found->tag)};
}

bool Mailbox::send_posted() {
  std::deque<Posted> mail;
  {
    const std::lock_guard lock(mutex_);
    mail.swap(posted_);
  }
  for (Posted& letter : mail) sending_.push_back(control_.isend(std::move(letter.bytes), letter.destination, static_cast<int>(letter.kind)));
  std::erase_if(sending_, [](parallel::Request& request) { return request.test(); });
  return !mail.empty();
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
