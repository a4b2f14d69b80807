#include <algorithm>
#include <cmath>

#include "core/parallel_for.hpp"
#include "kernels/attention_backward/operands.hpp"

namespace edgelab::kernels {
namespace {

// One head, all in double; `sums` [tokens, 3 · head width] collects (dQ|dK|dV).
void differentiate(const AttentionProblem& p, const BackwardOperands& o, std::int64_t sample, std::int64_t head, double* sums) {
  const std::int64_t width = p.head_width;
  const auto at = [&](std::int64_t token, int part, std::int64_t d) {
    return operand(p.compute, value_at(o.qkv, p.type, p.at(sample, token, part, head) + d));
  };
  const auto sum = [&](std::int64_t token, int part) { return sums + (token * 3 + part) * width; };
  std::fill_n(sums, p.tokens * 3 * width, 0.0);
  for (std::int64_t query = 0; query < p.tokens; ++query) {
    const double log_sum_exp = static_cast<double>(o.log_sum_exp[p.row_at(sample, head, query)]);
    if (log_sum_exp == -INFINITY) continue;
    const std::int64_t row = p.output_at(sample, query, head);
    double delta = 0.0;
    for (std::int64_t d = 0; d < width; ++d) delta += static_cast<double>(o.gradient[row + d]) * static_cast<double>(value_at(o.output, p.type, row + d));
    for (std::int64_t key = 0; key < p.keys_of(query); ++key) {
      double score = 0.0, weight_gradient = 0.0;
      for (std::int64_t d = 0; d < width; ++d) score += at(query, 0, d) * at(key, 1, d);
      for (std::int64_t d = 0; d < width; ++d) weight_gradient += operand(p.compute, o.gradient[row + d]) * at(key, 2, d);
      score = score * p.scale + (p.has_bias ? static_cast<double>(o.bias[p.bias_at(sample, head, query) + key]) : 0.0);
      const double weight = std::exp(score - log_sum_exp), score_gradient = weight * (weight_gradient - delta) * p.scale;
      for (std::int64_t d = 0; d < width; ++d) {
        sum(query, 0)[d] += score_gradient * at(key, 1, d);
        sum(key, 1)[d] += score_gradient * at(query, 0, d);
        sum(key, 2)[d] += weight * operand(p.compute, o.gradient[row + d]);
      }
    }
  }
  for (std::int64_t token = 0; token < p.tokens; ++token) {
    for (int part = 0; part < 3; ++part) {
      float* to = o.qkv_gradient + p.at(sample, token, part, head);
      for (std::int64_t d = 0; d < width; ++d) to[d] = static_cast<float>(sum(token, part)[d]);
    }
  }
}

}  // namespace

Offer attention_backward_reference(const CallSite& site) {
  const AttentionProblem problem = backward_problem(site);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  const std::int64_t head_sums = problem.tokens * 3 * problem.head_width;
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const BackwardOperands operands = backward_operands(buffers, constants);
          return [=] {
            parallel_for(problem.samples * problem.heads, threads, [=](std::int64_t begin, std::int64_t end) {
              for (std::int64_t i = begin; i < end; ++i) {
                differentiate(problem, operands, i / problem.heads, i % problem.heads, reinterpret_cast<double*>(operands.scratch) + i * head_sums);
              }
            });
          };
        }};
      },
      static_cast<std::size_t>(problem.samples * problem.heads * head_sums) * sizeof(double));
  offer.effective = problem.compute;
  return offer;
}

}  // namespace edgelab::kernels
