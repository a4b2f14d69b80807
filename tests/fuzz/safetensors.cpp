// A file of weights. Every byte of every tensor that is offered must be there to read.
#include "models/safetensors/safetensors.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/error.hpp"
#include "fuzz/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  const auto bytes = std::make_shared<std::vector<std::byte>>(size);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, bytes->data());
  try {
    const auto file = models::Safetensors::of_bytes(*bytes, bytes, "fuzzed");
    std::byte sum{};
    for (const models::NamedTensor& item : file.tensors()) {
      fuzz::require(file.find(item.name) != nullptr && item.tensor.bytes() <= size);
      for (std::size_t i = 0; i < item.tensor.bytes(); ++i) sum ^= item.tensor.data()[i];
    }
    volatile std::byte seen = sum;
    static_cast<void>(seen);
  } catch (const Error&) {
  }
  return 0;
}
