#include "parallel/failures.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "parallel/communicator_impl.hpp"

#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#ifdef OMPI_HAVE_MPI_EXT_FTMPI
#define EDGELAB_HAS_ULFM 1
#else
#define EDGELAB_HAS_ULFM 0
#endif

namespace edgelab::parallel {
namespace {

std::string text_of(const std::vector<int>& ranks) {
  if (ranks.empty()) return "a rank of the communicator died";
  std::string text = ranks.size() == 1 ? "rank" : "ranks";
  for (std::size_t i = 0; i < ranks.size(); ++i) text += (i == 0 ? " " : ", ") + std::to_string(ranks[i]);
  return text + " of the communicator died";
}

#if EDGELAB_HAS_ULFM
int class_of(int code) {
  int error_class = MPI_ERR_OTHER;
  MPI_Error_class(code, &error_class);
  return error_class;
}

std::vector<int> ranks_of(MPI_Group group, MPI_Comm communicator) {
  int size = 0;
  check(MPI_Group_size(group, &size), "MPI does not tell how many ranks died");
  std::vector<int> places(static_cast<std::size_t>(size)), ranks(places.size());
  for (int i = 0; i < size; ++i) places[static_cast<std::size_t>(i)] = i;
  const Group all = Group::of(communicator);
  check(MPI_Group_translate_ranks(group, size, places.data(), all.handle, ranks.data()),
        "MPI does not tell which ranks died");
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

// What MPI_Comm_create_group of Open MPI 5 calls once it has looked whether any rank of the parent has died, a member or not. That look
// is what makes the public call useless here: ranks hear of a death at different times, so some members are turned away at the door,
// "not absolutely necessary" by its own comment, while the others wait inside for ever. Behind it nothing depends on ranks that
// are no members: the call talks by ordinary messages between members alone. The ways around it that MPI offers are no better:
// MPI_Comm_create_from_group needs no parent, but costs MPI's daemons more each time, 1 ms the first, 400 ms the 180th;
// MPI_Intercomm_create has no such look, but its messages count as a collective's and are thrown away where a rank has died.
using CreateGroup = int (*)(MPI_Comm parent, MPI_Group group, int tag, MPI_Comm* made);
CreateGroup inner_create_group() {
  static const auto found = reinterpret_cast<CreateGroup>(dlsym(RTLD_DEFAULT, "ompi_comm_create_group"));
  return found;
}
#endif

}  // namespace

PeerFailed::PeerFailed(std::vector<int> ranks) : ranks_(std::move(ranks)), what_(text_of(ranks_)) {}

#if EDGELAB_HAS_ULFM

bool mpi_can_survive_failures() { return inner_create_group() != nullptr; }

bool survives_failures() {
  int* on = nullptr;
  int known = 0;
  check(MPI_Comm_get_attr(MPI_COMM_WORLD, MPIX_FT, &on, &known), "MPI does not tell whether it survives a failure");
  return known != 0 && on != nullptr && *on != 0 && mpi_can_survive_failures();
}

std::vector<int> failed_ranks(MPI_Comm communicator) {
  Group failed;
  check(MPIX_Comm_get_failed(communicator, &failed.handle), "MPI does not tell which ranks died");
  return ranks_of(failed.handle, communicator);
}

// A collective that meets a dead rank half-way may end with an error of another class: libnbc passes on what its next
// round said, MPI_ERR_OTHER.
void throw_if_peer_failed(MPI_Comm communicator, int code) {
  const int error_class = class_of(code);
  const bool says_so = error_class == MPIX_ERR_PROC_FAILED || error_class == MPIX_ERR_PROC_FAILED_PENDING ||
                       error_class == MPIX_ERR_REVOKED;
  if (!says_so && error_class != MPI_ERR_OTHER) return;
  std::vector<int> failed = failed_ranks(communicator);
  if (says_so || !failed.empty()) throw PeerFailed(std::move(failed));
}

std::vector<int> Communicator::failed() const {
  std::vector<int> ranks = failed_ranks(impl_->handle);
  // No more than were read: a rank that dies just now is to be told next time.
  int acknowledged = 0;
  const auto count = static_cast<int>(ranks.size());
  check(MPIX_Comm_ack_failed(impl_->handle, count, &acknowledged), "MPI refuses to go on without a rank");
  return ranks;
}

int create_group_regardless(MPI_Comm parent, MPI_Group group, int tag, MPI_Comm* made) { return inner_create_group()(parent, group, tag, made); }

#else

bool mpi_can_survive_failures() { return false; }
bool survives_failures() { return false; }
std::vector<int> failed_ranks(MPI_Comm) { return {}; }
void throw_if_peer_failed(MPI_Comm, int) {}
std::vector<int> Communicator::failed() const { return {}; }
int create_group_regardless(MPI_Comm parent, MPI_Group group, int tag, MPI_Comm* made) { return MPI_Comm_create_group(parent, group, tag, made); }

#endif

}  // namespace edgelab::parallel
