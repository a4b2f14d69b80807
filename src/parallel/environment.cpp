#include "parallel/environment.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/error.hpp"
#include "core/log.hpp"
#include "parallel/mpi_check.hpp"

namespace edgelab::parallel {
namespace {

std::string text_of(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) return "MPI error " + std::to_string(code);
  return {text, static_cast<std::size_t>(length)};
}

const char* level_name(int level) {
  switch (level) {
    case MPI_THREAD_SINGLE: return "MPI_THREAD_SINGLE";
    case MPI_THREAD_FUNNELED: return "MPI_THREAD_FUNNELED";
    case MPI_THREAD_SERIALIZED: return "MPI_THREAD_SERIALIZED";
    default: return "an unknown level";
  }
}

int start() {
  int level = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &level), "MPI could not start");
  return level;
}

}  // namespace

void check(int code, const char* what) {
  if (code != MPI_SUCCESS) throw Error(ErrorKind::environment, std::string(what) + ": " + text_of(code));
}

void check_quietly(int code, const char* what) noexcept {
  if (code == MPI_SUCCESS) return;
  try {
    log::warning(std::string("warning: ") + what + ": " + text_of(code));
  } catch (...) {  // a destructor has nobody to tell
  }
}

Environment::Environment() {
  int running = 0;
  MPI_Initialized(&running);
  int level = MPI_THREAD_SINGLE;
  if (running != 0) {
    check(MPI_Query_thread(&level), "MPI does not tell its thread level");
  } else {
    level = start();
    owned_ = true;
  }
  // Communicators made from these two inherit the handler. Without it every MPI error ends the process.
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI refuses an error handler");
  check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI refuses an error handler");
  if (level < MPI_THREAD_MULTIPLE) {
    if (owned_) MPI_Finalize();
    owned_ = false;
    throw Error(ErrorKind::environment, "this MPI does not let several threads communicate")
        .got(level_name(level))
        .expected("MPI_THREAD_MULTIPLE")
        .hint("use an Open MPI that was configured with thread support, as Debian's is");
  }
}

Environment::~Environment() {
  int finished = 0;
  MPI_Finalized(&finished);
  if (owned_ && finished == 0) check_quietly(MPI_Finalize(), "MPI_Finalize failed");
}

void Environment::leave(int exit_code) {
  std::fflush(stdout);
  std::fflush(stderr);
  _exit(exit_code);
}

std::string mpi_library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "";
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace edgelab::parallel
