#include "core/build_info.hpp"

#include "git_state.hpp"  // written by cmake/write_git_state.cmake

namespace edgelab::build_info {

std::string_view version() { return EDGELAB_VERSION; }
std::string_view git_commit() { return EDGELAB_GIT_COMMIT; }
bool git_dirty() { return EDGELAB_GIT_DIRTY; }
std::string_view compiler() { return EDGELAB_COMPILER; }
std::string_view flags() { return EDGELAB_FLAGS; }

}  // namespace edgelab::build_info
