#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/attention/problem.hpp"

namespace edgelab::kernels {
namespace {

struct Operands {
  const std::byte* qkv;
  const float* bias;
  std::byte* y;
  float* log_sum_exp;  // or null
};

// One row of the output, `row` counted from the first query: probabilities into `scores` [tokens], then the weighted sum of the values into the [head width] behind them.
void attend(const AttentionProblem& p, const Operands& o, std::int64_t sample, std::int64_t head, std::int64_t row, double* scores) {
  const std::int64_t query = p.first_query + row;
  const auto at = [&](std::int64_t token, int part, std::int64_t d) {
    return operand(p.compute, value_at(o.qkv, p.type, p.at(sample, token, part, head) + d));
  };
  const std::int64_t keys = p.keys_of(query);
  double highest = -INFINITY, total = 0.0;
  for (std::int64_t key = 0; key < keys; ++key) {
    double dot = 0.0;
    for (std::int64_t d = 0; d < p.head_width; ++d) dot += at(query, 0, d) * at(key, 1, d);
    scores[key] = dot * p.scale + (p.has_bias ? static_cast<double>(o.bias[p.bias_at(sample, head, query) + key]) : 0.0);
    highest = std::max(highest, scores[key]);
  }
  const bool sees = highest > -INFINITY || std::any_of(scores, scores + keys, [](double score) { return std::isnan(score); });
  for (std::int64_t key = 0; key < keys; ++key) total += scores[key] = sees ? std::exp(scores[key] - highest) : 0.0;
  double* sums = scores + p.tokens;
  std::fill_n(sums, p.head_width, 0.0);
  for (std::int64_t key = 0; key < keys; ++key) {
    for (std::int64_t d = 0; d < p.head_width; ++d) sums[d] += scores[key] * at(key, 2, d);
  }
  for (std::int64_t d = 0; d < p.head_width; ++d) store_value(o.y, p.type, p.output_at(sample, row, head) + d, sees ? sums[d] / total : 0.0);
  if (o.log_sum_exp != nullptr) o.log_sum_exp[p.row_at(sample, head, row)] = static_cast<float>(sees ? highest + std::log(total) : -INFINITY);
}

Offer offer_of(const CallSite& site, const AttentionProblem& problem) {
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  // One row of scores and sums a (sample, head): rows of one head are computed one after another.
  const std::int64_t row = problem.tokens + problem.head_width;
  const auto scratch = static_cast<std::size_t>(problem.samples * problem.heads * row) * sizeof(double);
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const Operands operands{input_bytes(buffers, constants, 0),
                                  problem.has_bias ? reinterpret_cast<const float*>(input_bytes(buffers, constants, 1)) : nullptr, buffers.outputs[0],
                                  buffers.outputs.size() > 1 ? reinterpret_cast<float*>(buffers.outputs[1]) : nullptr};
          auto* scores = reinterpret_cast<double*>(buffers.scratch);
          return [=] {
            parallel_for(problem.samples * problem.heads, threads, [=](std::int64_t begin, std::int64_t end) {
              for (std::int64_t i = begin; i < end; ++i) {
                for (std::int64_t query = 0; query < problem.queries; ++query) {
                  attend(problem, operands, i / problem.heads, i % problem.heads, query, scores + i * row);
                }
              }
            });
          };
        }};
      },
      scratch);
  offer.effective = problem.compute;
  return offer;
}

}  // namespace

Offer attention_reference(const CallSite& site) { return offer_of(site, attention_problem(*site.op.as<Attention>(), site.inputs)); }
Offer attention_rows_reference(const CallSite& site) { return offer_of(site, attention_problem(*site.op.as<AttentionRows>(), site.inputs)); }

}  // namespace edgelab::kernels
