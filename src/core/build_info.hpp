#pragma once

#include <string_view>

namespace edgelab::build_info {

std::string_view version();     // "0.1.0"
std::string_view git_commit();  // of the checkout when this was built; empty outside git
bool git_dirty();               // tracked files differed from that commit
std::string_view compiler();    // "GNU 12.2.0"
std::string_view flags();       // build type and compiler flags

}  // namespace edgelab::build_info
