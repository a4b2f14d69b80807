#include "kernels/tile_gemm/tiled_product.hpp"

#include <algorithm>
#include <string>

#include "kernels/tile_gemm/implementations.hpp"
#include "kernels/tile_gemm/simd.hpp"

namespace edgelab::kernels::tile_gemm {
Choice choose_for_layers(const Settings& settings, const Machine& machine) {
  check(settings);
  const bool pairs = settings.a == DType::bf16 && best_simd_target().bf16_pairs && !machine.has("amx_bf16");
  // With AMX the microkernel is the faster one where K is large enough for its pass over the sums not to matter.
  const bool quads = settings.a == DType::u8 && (!machine.has("amx_int8") || settings.k * settings.batch < 192);
  if (settings.a == DType::f32 || pairs || quads) {
    for (const Implementation& implementation : implementations()) {
      if (implementation.name == "simd" && !implementation.refuses(settings, machine)) return {implementation.make(settings), implementation.name, {}};
    }
  }
  return choose(settings, machine);
}

Blocks equal_blocks(std::int64_t total, std::int64_t parts, std::int64_t grain) {
  const std::int64_t grains = (total + grain - 1) / grain;
  return {total, std::max<std::int64_t>(1, (grains + parts - 1) / parts) * grain};
}

TiledProduct::TiledProduct(const Settings& whole, std::int64_t block_rows, std::int64_t block_columns, const Machine& machine)
    : whole_(whole), rows_{whole.m, std::min(block_rows, whole.m)}, columns_{whole.n, std::min(block_columns, whole.n)} {
  for (const bool last_rows : {false, true}) {
    for (const bool last_columns : {false, true}) {
      Settings block = whole;
      block.m = rows_.extent(last_rows ? rows_.count() - 1 : 0);
      block.n = columns_.extent(last_columns ? columns_.count() - 1 : 0);
      const Choice chosen = choose_for_layers(block, machine);
      kernels_[last_rows ? 1 : 0][last_columns ? 1 : 0] = chosen.kernel;
      implementation_ = chosen.implementation;
      scratch_bytes_ = std::max(scratch_bytes_, chosen.kernel.scratch_bytes());
    }
  }
}

Tensor TiledProduct::pack(PackCache& packs, const Tensor& weight) const {
  const std::string name = "tiled " + std::string(implementation_) + " " + std::string(name_of(whole_.b)) + " " + std::to_string(whole_.batch) + " × " +
                           std::to_string(whole_.k) + " by " + std::to_string(columns_.size);
  return packs.get(weight, {name.begin(), name.end()}, [&] {
    const Tensor source = whole_.b == DType::bf16 ? rounded_to_bf16(weight) : weight;
    Tensor packed(DType::u8, {static_cast<std::int64_t>(packed_bytes())});
    const PlainB b{source.data(), whole_.k * whole_.batch, true};
    for (std::int64_t block = 0; block < columns_.count(); ++block) pack(b, block, packed.data());
    return packed;
  });
}

void TiledProduct::pack(const PlainB& b, std::int64_t block, std::byte* packed) const noexcept {
  const Kernel& packer = kernel(false, block + 1 == columns_.count());
  std::byte* to = packed + static_cast<std::size_t>(block) * block_bytes();
  for (std::int64_t pair = 0; pair < whole_.batch; ++pair, to += packer.packed_bytes()) {
    const std::int64_t first = columns_.begin(block), k = pair * whole_.k;
    const std::int64_t at = b.transposed ? first * b.ld + k : k * b.ld + first;
    packer.pack({static_cast<const std::byte*>(b.data) + static_cast<std::size_t>(at) * size_of(whole_.b), b.ld, b.transposed}, to);
  }
}

void TiledProduct::run(std::int64_t row_block, std::int64_t column_block, const Arguments& arguments) const noexcept {
  Arguments block = arguments;
  block.packed_b = static_cast<const std::byte*>(arguments.packed_b) + static_cast<std::size_t>(column_block) * block_bytes();
  if (whole_.epilogue.bias) block.bias = arguments.bias + columns_.begin(column_block);
  if (whole_.epilogue.scale == Scale::per_column) block.scale = arguments.scale + columns_.begin(column_block);
  if (whole_.epilogue.offset) block.offset = arguments.offset + columns_.begin(column_block);
  kernel(row_block + 1 == rows_.count(), column_block + 1 == columns_.count()).run(block);
}

Tensor rounded_to_bf16(const Tensor& values) {
  Tensor rounded(DType::bf16, values.shape());
  const auto from = values.as<float>();
  std::transform(from.begin(), from.end(), reinterpret_cast<std::uint16_t*>(rounded.data()), float_to_bf16);
  return rounded;
}

std::string_view emulation(DType operands, std::string_view implementation, const Machine& machine) {
  const bool native = implementation == "simd" ? best_simd_target().bf16_pairs : implementation == "onednn" && machine.has("avx512_bf16");
  if (operands != DType::bf16 || native) return "";
  return machine.has("avx512_bf16") ? "bf16 emulated: oneDNN's microkernel refused" : "bf16 emulated: no avx512_bf16";
}

}  // namespace edgelab::kernels::tile_gemm
