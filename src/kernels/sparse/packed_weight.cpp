#include "kernels/sparse/packed_weight.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace edgelab::kernels::sparse {
namespace {

struct Matrix {
  const float* values;
  std::int64_t rows, columns;
  // Whether any row of the block has something in this column.
  bool any(std::int64_t first, std::int64_t block, std::int64_t column) const {
    for (std::int64_t row = first; row < std::min(rows, first + block); ++row) {
      if (values[row * columns + column] != 0.0f) return true;
    }
    return false;
  }
};

Matrix matrix_of(const Tensor& weight) {
  const std::int64_t rows = weight.shape()[0];
  return {weight.as<float>().data(), rows, weight.elements() / std::max<std::int64_t>(1, rows)};
}

std::int64_t entries_of(const Matrix& matrix, std::int64_t block) {
  std::int64_t entries = 0;
  for (std::int64_t first = 0; first < matrix.rows; first += block) {
    for (std::int64_t column = 0; column < matrix.columns; ++column) entries += matrix.any(first, block, column) ? 1 : 0;
  }
  return entries;
}

// Four multiply-adds of a block cost as much as three of single rows, which load a pixel each.
std::int64_t cheaper_block(const Matrix& matrix) { return matrix.rows >= 4 && 3 * entries_of(matrix, 4) <= entries_of(matrix, 1) ? 4 : 1; }

std::int64_t begins_bytes(std::int64_t blocks) { return (blocks + 1) * 4; }

Tensor packed(const Matrix& matrix, std::int64_t block) {
  const std::int64_t entries = entries_of(matrix, block), blocks = (matrix.rows + block - 1) / block;
  Tensor memory(DType::u8, {begins_bytes(blocks) + entries * 4 * (1 + block)});
  auto* begins = reinterpret_cast<std::int32_t*>(memory.data());
  std::int32_t* columns = begins + blocks + 1;
  auto* values = reinterpret_cast<float*>(columns + entries);
  std::int32_t at = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    begins[b] = at;
    for (std::int64_t column = 0; column < matrix.columns; ++column) {
      if (!matrix.any(b * block, block, column)) continue;
      columns[at] = static_cast<std::int32_t>(column);
      for (std::int64_t i = 0; i < block && b * block + i < matrix.rows; ++i) values[at * block + i] = matrix.values[(b * block + i) * matrix.columns + column];
      ++at;
    }
  }
  begins[blocks] = at;
  return memory;
}

}  // namespace

PackedWeight::PackedWeight(const Tensor& weight, PackCache& packs) : rows_(weight.shape()[0]) {
  const Matrix matrix = matrix_of(weight);
  block_ = cheaper_block(matrix);
  constexpr std::string_view kLayout = "sparse rows";
  memory_ = packs.get(weight, {kLayout.begin(), kLayout.end()}, [&] { return packed(matrix, block_); });
  const std::int64_t entries = (static_cast<std::int64_t>(memory_.bytes()) - begins_bytes(blocks())) / (4 * (1 + block_));
  begins_ = reinterpret_cast<const std::int32_t*>(memory_.data());
  columns_ = begins_ + blocks() + 1;
  values_ = reinterpret_cast<const float*>(columns_ + entries);
}

Zeros& Zeros::operator+=(const Zeros& other) {
  zeros += other.zeros, enough += other.enough, all += other.all;
  return *this;
}

Zeros zeros_of(const Tensor& weight) {
  const auto values = weight.as<float>();
  const auto all = static_cast<double>(values.size());
  const double break_even = cheaper_block(matrix_of(weight)) == 4 ? kBreakEvenOfFours : kBreakEven;
  return {static_cast<double>(std::count(values.begin(), values.end(), 0.0f)), all * break_even, all};
}

std::optional<std::string> too_dense(const Zeros& zeros) {
  if (zeros.zeros >= zeros.enough) return std::nullopt;
  return fmt::format("dense: {:.0f} % zeros, break-even {:.0f} %", 100 * zeros.share(), 100 * zeros.enough / zeros.all);
}

}  // namespace edgelab::kernels::sparse
