#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace edgelab::parallel {

using Bytes = std::vector<std::byte>;

struct Envelope {
  int source = 0;
  int tag = 0;
  std::size_t bytes = 0;
};

struct Message {
  Envelope envelope;
  Bytes bytes;
};

// A send or receive under way, which owns its buffer: whatever the program does meanwhile, MPI never reads or writes freed
// memory. An unfinished one that is destroyed keeps its buffer aside until MPI is done with it. Must not outlive its
// Communicator while unfinished.
class Request {
 public:
  Request(Request&&) noexcept;
  Request& operator=(Request&&) noexcept;
  ~Request();

  bool test();      // true once complete; never blocks
  void wait();      // backs off while it waits; throws Cancelled as the Communicator does
  // The bytes received (or sent), after wait(). `envelope` says who sent them.
  Bytes take();
  const Envelope& envelope() const;

  struct State;
  explicit Request(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace edgelab::parallel
