#include "kernels/tile_gemm/simd.hpp"

#include "core/tensor.hpp"
#include "kernels/tile_gemm/implementations.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// As few panels as there can be, of equal width: 80 columns as 48 and 32 rather than 64 and 16, whose last tile of one
// vector would load A as often as it multiplies.
std::int64_t panel_columns(std::int64_t n, const SimdTarget& target) {
  const std::int64_t vectors = (n + target.lanes - 1) / target.lanes, most = target.panel / target.lanes;
  const std::int64_t panels = (vectors + most - 1) / most;
  return (vectors + panels - 1) / panels * target.lanes;
}

SimdState state_of(const Settings& settings) {
  SimdState state;
  state.settings = settings;
  state.target = best_simd_target();
  state.rows = (settings.k + group_of(settings.b) - 1) / group_of(settings.b);
  state.panel = panel_columns(settings.n, state.target);
  state.full_panels = settings.n / state.panel;
  state.tail_columns = settings.n % state.panel;
  state.tail_width = round_up(state.tail_columns, state.target.lanes);
  const std::int64_t width = state.full_panels * state.panel + state.tail_width, alignment = kAlignment / sizeof(float);
  state.panel_words = round_up(state.rows * width, alignment);
  state.packed_words = state.panel_words + (settings.a == DType::u8 && state.target.byte_sums ? round_up(width, alignment) : 0);
  return state;
}

void pack(const void* opaque, const PlainB& b, void* packed) noexcept {
  const SimdState& state = *static_cast<const SimdState*>(opaque);
  const Settings& s = state.settings;
  auto* to = static_cast<std::uint32_t*>(packed);
  auto* sums = state.packed_words > state.panel_words ? reinterpret_cast<std::int32_t*>(to + state.panel_words) : nullptr;
  const auto pack_panel = [&](std::int64_t first, std::int64_t columns, std::int64_t width) {
    state.target.pack({from_column(b, s.b, first), group_of(s.b), s.k, columns, width, to, sums == nullptr ? nullptr : sums + first, !state.target.byte_quads});
    to += state.rows * width;
  };
  const std::int64_t panel = state.panel;
  for (std::int64_t p = 0; p < state.full_panels; ++p) pack_panel(p * panel, panel, panel);
  if (state.tail_columns > 0) pack_panel(state.full_panels * panel, state.tail_columns, state.tail_width);
}

void run(const void* opaque, const Arguments& arguments) noexcept {
  const SimdState& state = *static_cast<const SimdState*>(opaque);
  state.target.run(state, arguments);
}

}  // namespace

std::optional<std::string> simd_refuses(const Settings& settings, const Machine&) {
  if (settings.a == DType::s8) return "its integer products want an A of u8";
  return std::nullopt;
}

Kernel make_simd(const Settings& settings) {
  auto state = std::make_shared<const SimdState>(state_of(settings));
  const auto bytes = static_cast<std::size_t>(state->packed_words) * sizeof(float);
  const std::size_t reckoned = bytes - static_cast<std::size_t>(state->panel_words) * sizeof(float);
  return {{run, pack}, std::move(state), bytes, 0, reckoned};
}

}  // namespace edgelab::kernels::tile_gemm
