#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/dtype.hpp"

namespace edgelab::kernels {

// Rows of a tensor that go to another rank or come from it, counted in the tensor at hand.
struct Strip {
  int rank = 0;
  std::int64_t begin = 0, rows = 0;
};

// Who sends which rows to whom, for one rank. A tensor here is [outer, rows, row_elements]; of each row the elements from
// `first_element` on travel.
struct StripExchange {
  DType dtype = DType::f32;
  std::int64_t outer = 1, row_elements = 1, first_element = 0;
  std::int64_t scaled_elements = 1;            // that share a scale where the wire has scales; divides what travels of a row
  std::int64_t rows_here = 0, rows_wanted = 0;  // of the tensor at hand and of the one to be made
  std::vector<Strip> sends, receives;          // in the ranks' order
};

// By which message ops travel, between the ranks that share the work of the same layers: the ops name it, as an MPI call names its
// communicator. Graphs and plans know nothing of MPI: parallel/mpi_transport.hpp is what carries.
//
// All are collective: every rank of the group makes the same calls in the same order. They block until this rank's part is done, and
// throw what the carrier throws.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // values [rows, width] become the sums over all ranks, the same numbers on each.
  virtual void all_reduce(float* values, std::int64_t rows, std::int64_t width) = 0;
  // From `from` [outer, rows_here, row_elements] to `to` [outer, rows_wanted, row_elements].
  virtual void exchange(const StripExchange& strips, const std::byte* from, std::byte* to) = 0;
};

}  // namespace edgelab::kernels
