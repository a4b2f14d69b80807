#include "kernels/tile_gemm/speed_limit.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

constexpr std::int64_t kRoundNs = 2'000'000;
constexpr int kRounds = 4;

// Tiles that layers are cut into; which one a kernel likes best differs between machines.
constexpr std::int64_t kShapes[][3] = {{64, 64, 384}, {192, 64, 96}, {48, 160, 960}};

// The operands of one thread: ones, so that nothing overflows and no sum is subnormal.
struct Operands {
  Operands(const Settings& settings, const Kernel& kernel)
      : a(allocate_aligned(bytes_of(settings.m * settings.k, settings.a))), c(allocate_aligned(bytes_of(settings.m * settings.n, settings.c))),
        packed(allocate_aligned(kernel.packed_bytes())), scratch(allocate_aligned(kernel.scratch_bytes())) {
    fill(a.get(), settings.m * settings.k, settings.a);
    const auto b = allocate_aligned(bytes_of(settings.k * settings.n, settings.b));
    fill(b.get(), settings.k * settings.n, settings.b);
    kernel.pack({b.get(), settings.n, false}, packed.get());
    arguments.a = a.get();
    arguments.packed_b = packed.get();
    arguments.c = c.get();
    arguments.scratch = scratch.get();
  }

  static std::size_t bytes_of(std::int64_t elements, DType type) { return static_cast<std::size_t>(elements) * size_of(type); }
  static void fill(std::byte* memory, std::int64_t elements, DType type) {
    for (std::int64_t i = 0; i < elements; ++i) {
      if (type == DType::f32) reinterpret_cast<float*>(memory)[i] = 1.0f;
      if (type == DType::bf16) reinterpret_cast<std::uint16_t*>(memory)[i] = float_to_bf16(1.0f);
      if (size_of(type) == 1) reinterpret_cast<std::uint8_t*>(memory)[i] = 1;
    }
  }

  std::shared_ptr<std::byte> a, c, packed, scratch;
  Arguments arguments;
};

// Operations a second of all members together, each on operands of its own: the best of a few rounds.
double rate_of(const Settings& settings, const Kernel& kernel, ThreadTeam& team) {
  std::vector<Operands> operands;
  for (int member = 0; member < team.size(); ++member) operands.emplace_back(settings, kernel);
  double best = 0.0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> rates(operands.size());
    team.run([&](const Member& member) {
      const auto mine = static_cast<std::size_t>(member.index());
      const std::int64_t began = now_ns();
      std::int64_t runs = 0, now = began;
      for (; now - began < kRoundNs; now = now_ns()) {
        for (int i = 0; i < 8; ++i, ++runs) kernel.run(operands[mine].arguments);
      }
      release_thread();
      rates[mine] = static_cast<double>(runs) * 1e9 / static_cast<double>(now - began);
    });
    double runs_a_second = 0.0;
    for (const double rate : rates) runs_a_second += rate;
    best = std::max(best, runs_a_second * 2.0 * static_cast<double>(settings.m * settings.n * settings.k));
  }
  return best;
}

double measured(DType type, int threads) {
  ThreadTeam team(threads);
  double best = 0.0;
  for (const auto& [m, n, k] : kShapes) {
    Settings settings;
    settings.m = m, settings.n = settings.ldc = n, settings.k = settings.lda = k;
    settings.a = settings.b = type;
    if (type == DType::u8) settings.b = DType::s8, settings.c = DType::s32;
    for (const Implementation& implementation : implementations()) {
      if (implementation.name == "reference" || implementation.refuses(settings, this_machine())) continue;
      best = std::max(best, rate_of(settings, implementation.make(settings), team));
    }
  }
  return best;
}

}  // namespace

double speed_limit(DType type, int threads) {
  static std::mutex mutex;
  static std::map<std::pair<DType, int>, double> known;
  if (type == DType::s8) type = DType::u8;
  if (type != DType::f32 && type != DType::bf16 && type != DType::u8) return 0.0;
  const std::lock_guard lock(mutex);
  const auto [entry, fresh] = known.try_emplace({type, threads}, 0.0);
  if (fresh) entry->second = measured(type, threads);
  return entry->second;
}

}  // namespace edgelab::kernels::tile_gemm
