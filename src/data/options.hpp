#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgelab::data {

enum class Split { train, test };
constexpr std::string_view name_of(Split split) { return split == Split::train ? "train" : "test"; }

// Which samples of which data set. They are taken in this order: file order; `shuffle`; the first `per_class` of each
// class; the first `limit`.
struct DatasetOptions {
  std::string dataset{};  // cifar10 | cifar100 | images | shapes10
  std::string path{};     // folder that holds the files; empty: search the usual places (docs/data.md)
  Split split = Split::test;
  std::optional<std::int64_t> limit{};      // at most this many; shapes10 draws as many as that
  std::optional<std::int64_t> per_class{};  // exactly this many of each class, or an error
  bool shuffle = false;
  std::uint64_t seed = 0;  // of `shuffle`, and of shapes10's drawing
};

}  // namespace edgelab::data
