// What a child that read a results file sends back: it may have been taken over by what it read.
#include <string_view>

#include "core/error.hpp"
#include "fuzz/memory_file.hpp"
#include "results/hdf5/reading.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  using namespace edgelab::results::hdf5;
  Reading reading;
  try {
    reading = reading_from_text({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return 0;
  }
  const std::string text = to_text(reading);
  fuzz::require(to_text(reading_from_text(text)) == text);
  return 0;
}
