#include "kernels/tile_gemm/tile_gemm.hpp"

#include <array>

#include "core/error.hpp"
#include "kernels/tile_gemm/implementations.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

bool integer(DType type) { return type == DType::u8 || type == DType::s8; }

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::none: return "";
    case Activation::relu: return "relu";
    case Activation::relu6: return "relu6";
    case Activation::gelu: return "gelu";
  }
  return "";
}

[[noreturn]] void reject(const Settings& settings, const std::string& expected) {
  throw Error(ErrorKind::usage, "a matrix product has settings without a meaning").got(text(settings)).expected(expected);
}

void check_types(const Settings& s) {
  const bool floats = (s.a == DType::f32 && s.b == DType::f32) || (s.a == DType::bf16 && s.b == DType::bf16);
  if (!floats && !(integer(s.a) && s.b == DType::s8)) reject(s, "A and B both f32, both bf16, or u8/s8 and s8");
  const bool whole = sum_type(s) == DType::s32;
  if (s.c != DType::f32 && s.c != DType::bf16 && !(whole && (s.c == DType::s32 || s.c == DType::u8))) reject(s, "C of f32 or bf16, or s32 or u8 for integers");
  if (s.c == DType::s32 && !s.epilogue.empty()) reject(s, "no epilogue on an s32 result");
  if (s.accumulate && s.c != sum_type(s)) reject(s, "C of the sum's type to accumulate into");
  const Epilogue& e = s.epilogue;
  if (e.offset && !whole) reject(s, "an offset for sums of integers alone");
  if (s.c == DType::u8 && (e.scale == Scale::none || e.activation == Activation::relu || e.activation == Activation::relu6)) {
    reject(s, "a scale for C of u8, and relu as its bounds");
  }
  const DType residual = e.residual_type;
  if (e.residual && residual != DType::f32 && residual != DType::bf16 && !(whole && residual == DType::u8)) {
    reject(s, "a residual of f32 or bf16, or u8 for integers");
  }
}

std::optional<std::string> never_refuses(const Settings&, const Machine&) { return std::nullopt; }

constexpr std::array kImplementations = {
    Implementation{"onednn", onednn_refuses, make_onednn},
    Implementation{"simd", simd_refuses, make_simd},
    Implementation{"reference", never_refuses, make_reference},
};

}  // namespace

DType sum_type(const Settings& settings) { return integer(settings.a) ? DType::s32 : DType::f32; }

std::string text(const Settings& s) {
  std::string text = std::string(edgelab::name_of(s.a)) + "×" + std::string(edgelab::name_of(s.b)) + "→" + std::string(edgelab::name_of(s.c));
  const auto number = [&text](const char* name, std::int64_t value) { text += std::string(" ") + name + " " + std::to_string(value); };
  number("M", s.m);
  number("N", s.n);
  number("K", s.k);
  if (s.batch != 1) {
    number("batch", s.batch);
    number("step", s.a_step);
  }
  number("lda", s.lda);
  number("ldc", s.ldc);
  if (s.transposed_a) text += ", A transposed";
  if (s.accumulate) text += ", accumulate";
  if (s.past_cache) text += ", past cache";
  if (s.epilogue.scale != Scale::none) text += s.epilogue.scale == Scale::one ? ", scale" : ", scale a column";
  if (s.epilogue.offset) text += ", offset";
  if (s.epilogue.bias) text += ", bias";
  if (s.epilogue.residual) {
    text += ", " + std::string(edgelab::name_of(s.epilogue.residual_type)) + " residual";
    number("ld", s.epilogue.residual_ld);
  }
  if (s.epilogue.activation != Activation::none) text += ", " + std::string(name_of(s.epilogue.activation));
  return text;
}

void check(const Settings& s) {
  // Far above any layer; keeps every offset within 64 bits.
  constexpr std::int64_t kLimit = std::int64_t{1} << 28;
  const auto sane = [](std::int64_t value) { return value >= 1 && value <= kLimit; };
  if (!sane(s.m) || !sane(s.n) || !sane(s.k) || !sane(s.batch)) reject(s, "M, N, K and batch from 1 to 2^28");
  if (s.lda < 1 || s.lda > kLimit || s.ldc < s.n || s.ldc > kLimit) reject(s, "lda ≥ 1 and ldc ≥ N");
  if (s.epilogue.residual && (s.epilogue.residual_ld < s.n || s.epilogue.residual_ld > kLimit)) reject(s, "a residual's leading dimension ≥ N");
  if (s.transposed_a && s.a != DType::f32 && (s.a != DType::bf16 || s.batch != 1)) reject(s, "a transposed A of f32, or of bf16 and alone");
  if (s.batch > 1 && (s.a_step < 0 || s.a_step > kLimit * 64)) reject(s, "a step from one A to the next ≥ 0");
  check_types(s);
}

std::span<const Implementation> implementations() { return kImplementations; }

Choice choose(const Settings& settings, const Machine& machine) {
  check(settings);
  Choice choice;
  for (const Implementation& implementation : implementations()) {
    if (auto reason = implementation.refuses(settings, machine)) {
      choice.refusals.push_back({implementation.name, std::move(*reason)});
      continue;
    }
    choice.kernel = implementation.make(settings);
    choice.implementation = implementation.name;
    break;
  }
  return choice;
}

}  // namespace edgelab::kernels::tile_gemm
