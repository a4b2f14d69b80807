// A command or an answer in the spool, by the first byte.
#include "batch/spool/messages.hpp"

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "fuzz/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  using namespace edgelab::batch;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const bool command = (data[0] & 1) == 0;
    const auto again = [&](std::string_view from) {
      return command ? to_text(spool::command_from(from)) : to_text(spool::answer_from(from));
    };
    const std::string written = again(text);
    fuzz::require(again(written) == written);
  } catch (const Error&) {
  }
  return 0;
}
