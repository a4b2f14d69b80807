#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace edgelab::results::hdf5 {

struct Limits {
  std::uint64_t memory_bytes = 0;  // beyond what this process has mapped
  std::uint64_t cpu_seconds = 0;
  std::uint64_t answer_bytes = 0;
};

struct Answer {
  std::string text;
  std::string failure;  // why the text is not whole; empty: it is
};

// Runs `work` in a fork of this process under `limits`, without core dumps or the right to write files, and gives back the
// text that it returned. `work` must not throw. Sanitizers map far more memory than they use, so under them the limit on
// memory is theirs. Throws Error (environment) if no child can be started.
Answer ask_child(const std::function<std::string()>& work, const Limits& limits);

}  // namespace edgelab::results::hdf5
