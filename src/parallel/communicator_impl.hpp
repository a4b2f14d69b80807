#pragma once

// For the .cpp files of this folder only.
#include <memory>

#include "parallel/communicator.hpp"
#include "parallel/mpi_check.hpp"

namespace edgelab::parallel {

struct Communicator::Impl {
  MPI_Comm handle = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  Waiting waiting;
  std::shared_ptr<const CancelToken> cancel;
  // An operation was given up half-way: the communicator is then never freed, because MPI still holds that operation.
  bool abandoned = false;
  Traffic traffic;

  bool released() const { return cancel != nullptr && cancel->released(); }
  // Throws Cancelled if no new operation may begin.
  void require_running() const {
    if (abandoned || (cancel != nullptr && cancel->stopping())) throw Cancelled();
  }
};

enum class Operation { send, receive, collective };

// Tests `request` until it is complete, backing off. Gives it up and throws Cancelled once the token is released.
MPI_Status complete(Communicator::Impl& impl, MPI_Request& request, Operation operation, const char* what);

struct Request::State {
  Communicator::Impl* impl = nullptr;
  MPI_Request handle = MPI_REQUEST_NULL;
  Operation operation = Operation::send;
  Bytes buffer;
  Envelope envelope;
};

// MPI counts elements with an int. Throws Error (usage) for more.
int count_of(std::size_t elements);

}  // namespace edgelab::parallel
