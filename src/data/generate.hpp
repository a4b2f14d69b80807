#pragma once

#include <cstdint>
#include <filesystem>

namespace edgelab::data {

struct GenerateOptions {
  std::uint64_t seed = 0;
  std::int64_t train = 5000, test = 1000;  // samples
};

// Writes shapes10 as CIFAR-10's binary files into `folder`, which must be new or empty: `dataset: shapes10` or `cifar10`
// with `path: folder` reads it. It appears whole or not at all. Throws Error: usage for counts out of range (5 to
// 1,000,000 for train, 1 to 1,000,000 for test), environment where it can't be written.
void generate_shapes10(const std::filesystem::path& folder, const GenerateOptions& options);

}  // namespace edgelab::data
