#include "kernels/quantized_linear/integer_layer.hpp"

#include <algorithm>

#include "kernels/aligned.hpp"
#include "kernels/linear/tile_linear.hpp"
#include "kernels/quantized_linear/integer_tables.hpp"
#include "kernels/quantized_linear/nibbles.hpp"

namespace edgelab::kernels {
namespace {

// Where y is u8, relu is a bound of its grid.
tile_gemm::Activation epilogue_activation(const IntegerLayerSettings& s) {
  const bool bound = !s.y.empty() && s.activation == ActivationKind::relu;
  return bound ? tile_gemm::Activation::none : tile_activation(s.activation);
}

tile_gemm::Settings product_of(const IntegerLayerSettings& s, std::int64_t columns) {
  tile_gemm::Settings product;
  product.m = 1;
  product.n = columns;
  product.ldc = s.n;
  product.k = product.lda = s.k;
  product.a = DType::u8;
  product.b = DType::s8;
  product.c = s.y.empty() ? DType::f32 : DType::u8;
  product.epilogue.scale = tile_gemm::Scale::per_column;
  product.epilogue.offset = true;
  product.epilogue.residual = s.residual;
  product.epilogue.residual_ld = s.residual ? s.n : 0;
  product.epilogue.activation = epilogue_activation(s);
  return product;
}

template <class T> Tensor tensor_of(const std::vector<T>& values) {
  Tensor tensor(dtype_of<T>::value, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.as<T>().begin());
  return tensor;
}

}  // namespace

IntegerLayer::IntegerLayer(const IntegerLayerSettings& settings, const std::vector<std::int64_t>& heights, const Machine& machine) : settings_(settings) {
  product_ = tile_gemm::ColumnBlocks(product_of(settings, part_columns()), heights, machine);
  for (const U8Grid& grid : settings.y) {
    tile_gemm::Requantize bounds = grid.bounds();
    if (settings.activation == ActivationKind::relu) bounds.low = grid.zero_point;
    bounds.after_gelu = grid.inverse();
    grids_.push_back(bounds);
  }
}

std::size_t IntegerLayer::scratch_bytes() const { return aligned(product_.scratch_bytes()) + (four_bits() ? aligned(product_.block_bytes()) : 0); }

Tensor IntegerLayer::pack_weight(const Tensor& weight) const {
  Tensor packed(DType::u8, {blocks() * static_cast<std::int64_t>(stored_block_bytes())});
  std::byte* to = packed.data();
  Tensor part(DType::u8, {static_cast<std::int64_t>(product_.packed_bytes())});
  for (std::int64_t i = 0; i < parts(); ++i) {
    product_.pack({weight.data() + i * part_columns() * settings_.k, settings_.k, true}, part.data());
    for (std::int64_t block = 0; block < product_.blocks(); ++block, to += stored_block_bytes()) {
      const std::byte* from = part.data() + static_cast<std::size_t>(block) * product_.block_bytes();
      if (four_bits()) {
        const std::size_t elements = product_.element_bytes(block);
        pack_nibbles(reinterpret_cast<const std::int8_t*>(from), reinterpret_cast<std::uint8_t*>(to), elements);
        std::copy_n(from + elements, product_.reckoned_bytes(block), to + elements / 2);
      } else {
        std::copy_n(from, product_.block_bytes(), to);
      }
    }
  }
  return packed;
}

IntegerLayer::Packed IntegerLayer::pack(const Tensor& weight, const Tensor& scale, const Tensor& bias, PackCache& packs) const {
  const std::string name = "integer layer " + detail() + " parts " + std::to_string(parts());
  // Where gelu stands between the sum and y's grid, it takes real numbers.
  std::vector<float> y_scales;
  for (const U8Grid& grid : settings_.y) y_scales.push_back(settings_.activation == ActivationKind::gelu ? 1.0F : grid.scale);
  if (y_scales.empty()) y_scales.push_back(1.0F);
  const IntegerTables tables = integer_tables(settings_.x, scale, bias, y_scales);
  std::vector<std::int32_t> offset = row_sums(weight);
  for (std::size_t o = 0; o < offset.size(); ++o) offset[o] = tables.bias[o] - settings_.x.zero_point * offset[o];
  return {packs.get(weight, {name.begin(), name.end()}, [&] { return pack_weight(weight); }), tensor_of(offset), tensor_of(tables.factor)};
}

void IntegerLayer::run(std::int64_t block, const Packed& packed, const Rows& rows) const {
  const std::int64_t part = block / product_.blocks(), within = block % product_.blocks(), first = part * part_columns();
  const auto c_bytes = static_cast<std::int64_t>(settings_.y.empty() ? sizeof(float) : 1);
  const std::byte* weight = packed.weight.data() + static_cast<std::size_t>(block) * stored_block_bytes();
  if (four_bits()) {
    std::byte* unpacked = rows.scratch + aligned(product_.scratch_bytes());
    const std::size_t elements = product_.element_bytes(within);
    unpack_nibbles(reinterpret_cast<const std::uint8_t*>(weight), reinterpret_cast<std::int8_t*>(unpacked), elements);
    std::copy_n(weight + elements / 2, product_.reckoned_bytes(within), unpacked + elements);
    weight = unpacked;
  }
  tile_gemm::Arguments arguments;
  arguments.a = rows.x;
  arguments.packed_b = weight;
  arguments.c = rows.y + (first + within * tile_gemm::ColumnBlocks::kColumns) * c_bytes;
  arguments.scale = packed.factor.as<float>().data() + first;
  arguments.offset = packed.offset.as<std::int32_t>().data() + first;
  if (settings_.residual) arguments.residual = rows.residual + first;
  if (!grids_.empty()) arguments.requantize = grids_[static_cast<std::size_t>(part)];
  arguments.scratch = rows.scratch;
  if (!four_bits() && block + 1 < blocks()) arguments.next_b = weight + stored_block_bytes();
  product_.run_packed(rows.count, within, arguments);
}

}  // namespace edgelab::kernels
