#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgelab {

// What a program writes to stdout, run from an argument vector (no shell) with nothing to read and its errors dropped.
// Nothing if it can't be started, fails, or takes longer than `limit_ns`; it is then ended.
std::optional<std::string> ask_program(const std::vector<std::string>& arguments, std::int64_t limit_ns);

}  // namespace edgelab
