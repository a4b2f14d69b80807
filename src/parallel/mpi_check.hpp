#pragma once

// For the .cpp files of this folder only: mpi.h stays out of every public header.
// MPI's C++ bindings, gone since MPI 3, would be pulled in as well and warn.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#include <mpi.h>

namespace edgelab::parallel {

// Throws Error (environment) with `what` and MPI's own text unless `code` is MPI_SUCCESS.
void check(int code, const char* what);
// The twin for destructors: logs instead.
void check_quietly(int code, const char* what) noexcept;

}  // namespace edgelab::parallel
