#include "kernels/attention/attention_rows.hpp"

#include "core/error.hpp"
#include "kernels/attention/problem.hpp"

namespace edgelab::kernels {

std::vector<TensorType> AttentionRows::infer(std::span<const TensorType> inputs) const {
  if (attention.has_bias || attention.with_log_sum_exp) throw Error(ErrorKind::data, "attention_rows: it has no bias and no log-sum-exp");
  TensorType y = attention.infer(inputs).front();
  if (first_query < 0 || queries < 1 || first_query + queries > y.shape[1]) {
    throw Error(ErrorKind::data, "attention_rows: there are no such queries")
        .got(std::to_string(queries) + " from " + std::to_string(first_query) + " on")
        .expected("some of " + std::to_string(y.shape[1]));
  }
  y.shape[1] = queries;
  return {y};
}

std::int64_t AttentionRows::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  const Shape& y = outputs[0].shape;
  const std::int64_t pairs = attention.causal ? queries * first_query + queries * (queries + 1) / 2 : queries * inputs[0].shape[1];
  return 4 * y[0] * pairs * y[2] + 5 * y[0] * attention.heads * pairs;
}

std::string AttentionRows::text() const {
  return attention.text() + ", queries " + std::to_string(first_query) + " to " + std::to_string(first_query + queries - 1);
}

std::span<const Implementation> AttentionRows::implementations() {
  static constexpr Implementation list[] = {{"flash", attention_rows_flash}, {"onednn", attention_rows_onednn}, {"reference", attention_rows_reference}};
  return list;
}

AttentionProblem attention_problem(const AttentionRows& settings, std::span<const TensorType> inputs) {
  AttentionProblem p = attention_problem(settings.attention, inputs);
  p.first_query = settings.first_query;
  p.queries = settings.queries;
  return p;
}

}  // namespace edgelab::kernels
