#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"
#include "kernels/vector_math/vector_math.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  QuantizedAttention settings;
  std::int64_t tokens = 0, queries = 0, width = 0, head_width = 0;
  const std::uint8_t* qkv = nullptr;
  std::byte* y = nullptr;

  // Query (part 0), key (1) or value (2) of a token; its first number.
  const std::uint8_t* at(std::int64_t sample, std::int64_t token, int part, std::int64_t head) const {
    return qkv + (sample * tokens + token) * 3 * width + part * width + head * head_width;
  }
};

std::vector<std::int32_t> weights_of(const Problem& p, std::int64_t sample, std::int64_t head, std::int64_t query) {
  const QuantizedAttention& s = p.settings;
  const std::uint8_t* q = p.at(sample, s.first_query + query, 0, head);
  std::vector<std::int32_t> scores(static_cast<std::size_t>(p.tokens), 0);
  for (std::int64_t j = 0; j < p.tokens; ++j) {
    const std::uint8_t* k = p.at(sample, j, 1, head);
    for (std::int64_t d = 0; d < p.head_width; ++d) scores[static_cast<std::size_t>(j)] += (q[d] - s.queries.zero_point) * (k[d] - s.keys.zero_point);
  }
  const std::int32_t highest = *std::max_element(scores.begin(), scores.end());
  for (std::int32_t& score : scores) {
    const float exponent = static_cast<float>(score - highest) * s.factor(p.width);
    float power = 0;
    vector_math::functions().exp2_nonpositive_bf16(&exponent, &power, 1);
    score = static_cast<std::int32_t>(std::nearbyintf(power * 255.0F));
  }
  return scores;
}

void attend(const Problem& p, std::int64_t sample, std::int64_t head, std::int64_t query) {
  const QuantizedAttention& s = p.settings;
  const std::vector<std::int32_t> weights = weights_of(p, sample, head, query);
  std::int32_t total = 0;
  for (const std::int32_t weight : weights) total += weight;
  const float factor = s.ratio() / static_cast<float>(total);
  for (std::int64_t d = 0; d < p.head_width; ++d) {
    std::int32_t sum = 0;
    for (std::int64_t j = 0; j < p.tokens; ++j) sum += weights[static_cast<std::size_t>(j)] * (p.at(sample, j, 2, head)[d] - s.values.zero_point);
    const float f = static_cast<float>(sum) * factor;
    const std::int64_t at = (sample * p.queries + query) * p.width + head * p.head_width + d;
    if (s.output) {
      reinterpret_cast<std::uint8_t*>(p.y)[at] = tile_gemm::to_u8(s.output->bounds(), f);
    } else {
      reinterpret_cast<float*>(p.y)[at] = f;
    }
  }
}

}  // namespace

Offer quantized_attention_reference(const CallSite& site) {
  Problem problem;
  problem.settings = *site.op.as<QuantizedAttention>();
  problem.tokens = site.inputs[0].shape[1];
  problem.queries = site.outputs[0].shape[1];
  problem.width = site.outputs[0].shape[2];
  problem.head_width = problem.width / problem.settings.heads;
  const std::int64_t rows = site.outputs[0].shape[0] * problem.settings.heads * problem.queries;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      Problem p = problem;
      p.qkv = reinterpret_cast<const std::uint8_t*>(input_bytes(buffers, constants, 0));
      p.y = buffers.outputs[0];
      return [=, keep = constants] {
        parallel_for(rows, threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) attend(p, i / p.queries / p.settings.heads, i / p.queries % p.settings.heads, i % p.queries);
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
