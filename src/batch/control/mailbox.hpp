#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "batch/control/messages.hpp"
#include "parallel/communicator.hpp"

namespace edgelab::batch {

struct Letter {
  int source = 0;
  Kind kind{};
  parallel::Bytes bytes;
};

// Control messages of one process. Any thread may post; the control loop alone sends, receives and waits, so that one
// thread uses the communicator.
class Mailbox {
 public:
  explicit Mailbox(parallel::Communicator control);

  int rank() const { return control_.rank(); }
  int size() const { return control_.size(); }

  // Takes a message for `destination` and wakes the loop. Any thread; never blocks.
  template <class Message> void post(int destination, Kind kind, const Message& message) { put(destination, kind, encode(message)); }

  // For the loop only.
  std::optional<Letter> receive();  // the next letter that has arrived
  std::vector<int> take_deaths();   // ranks found dead since the last call; from now on letters to them are dropped
  const std::set<int>& dead() const { return dead_; }
  bool send_posted();               // false if there was nothing to send
  bool all_sent();                  // MPI has taken every message
  // Sleeps until a message is posted here, or for a time that doubles with each call since the last reset(), up to 5 ms:
  // control messages are few, and 200 looks a second cost well under 1 % of a core.
  void pause();
  void reset() { backoff_.reset(); }

 private:
  struct Posted {
    int destination;
    Kind kind;
    parallel::Bytes bytes;
  };
  void put(int destination, Kind kind, parallel::Bytes bytes);
  void send(Posted letter);
  bool sent(parallel::Request& request);
  void note_deaths();

  parallel::Communicator control_;
  std::vector<parallel::Request> sending_;
  std::set<int> dead_, newly_dead_;
  std::optional<parallel::Backoff> backoff_;
  std::mutex mutex_;
  std::condition_variable posted_signal_;
  std::deque<Posted> posted_;
};

}  // namespace edgelab::batch
