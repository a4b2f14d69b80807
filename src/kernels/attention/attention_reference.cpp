#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/attention/attention.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  std::int64_t samples, tokens, width, heads;
  double scale;
  std::int64_t head_width() const { return width / heads; }
  // qkv: first element of query (0), key (1) or value (2) `token` of head `head`
  std::int64_t at(std::int64_t sample, std::int64_t token, int part, std::int64_t head) const {
    return (sample * tokens + token) * 3 * width + part * width + head * head_width();
  }
};

// One query row: probabilities into `scores` [tokens] (double), then the weighted sum of the values.
void attend(const Problem& p, const float* qkv, std::int64_t sample, std::int64_t head, std::int64_t token, double* scores, float* y) {
  const float* query = qkv + p.at(sample, token, 0, head);
  double highest = -INFINITY, total = 0.0;
  for (std::int64_t other = 0; other < p.tokens; ++other) {
    const float* key = qkv + p.at(sample, other, 1, head);
    double dot = 0.0;
    for (std::int64_t d = 0; d < p.head_width(); ++d) dot += static_cast<double>(query[d]) * static_cast<double>(key[d]);
    scores[other] = dot * p.scale;
    highest = std::max(highest, scores[other]);
  }
  for (std::int64_t other = 0; other < p.tokens; ++other) total += scores[other] = std::exp(scores[other] - highest);
  for (std::int64_t d = 0; d < p.head_width(); ++d) {
    double sum = 0.0;
    for (std::int64_t other = 0; other < p.tokens; ++other) sum += scores[other] * static_cast<double>(qkv[p.at(sample, other, 2, head) + d]);
    y[(sample * p.tokens + token) * p.width + head * p.head_width() + d] = static_cast<float>(sum / total);
  }
}

}  // namespace

Offer attention_reference(const CallSite& site) {
  const auto& settings = *site.op.as<Attention>();
  const Shape& y_shape = site.outputs[0].shape;
  const Problem problem{y_shape[0], y_shape[1], y_shape[2], settings.heads, settings.effective_scale(y_shape[2])};
  const int threads = site.threads;
  // One score row a (sample, head): rows of one head are computed one after another.
  const auto scratch = static_cast<std::size_t>(problem.samples * problem.heads * problem.tokens) * sizeof(double);
  return plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto* qkv = reinterpret_cast<const float*>(buffers.inputs[0]);
          auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
          auto* scores = reinterpret_cast<double*>(buffers.scratch);
          return [=] {
            parallel_for(problem.samples * problem.heads, threads, [=](std::int64_t begin, std::int64_t end) {
              for (std::int64_t i = begin; i < end; ++i) {
                for (std::int64_t token = 0; token < problem.tokens; ++token) {
                  attend(problem, qkv, i / problem.heads, i % problem.heads, token, scores + i * problem.tokens, y);
                }
              }
            });
          };
        }};
      },
      scratch);
}

}  // namespace edgelab::kernels
