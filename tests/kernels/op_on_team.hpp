#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/op.hpp"
#include "run_op.hpp"
#include "support/random_tensor.hpp"

// One op by one of its implementations, as a plan would run it: outputs and scratch start as NaN.
namespace edgelab::kernels::testing {

struct OpInputs {
  std::vector<Tensor> tensors;
  std::size_t first_constant = 1;  // what stands before it comes at each run
};

// `planned` threads, of which `running` come.
inline Tensor run_by(const Op& op, const OpInputs& inputs, std::string_view name, int planned, int running) {
  std::string refusal;
  const std::vector<Tensor> outputs = run_op(op, name, inputs.tensors, {planned, running}, &refusal, inputs.first_constant);
  if (outputs.empty()) throw std::runtime_error(std::string(name) + " refused: " + refusal);
  return outputs.front();
}

struct Tolerance {
  double of_deviation = 0;  // of the output's standard deviation
  double of_value = 0;      // and of the value itself
};

// What a sum of k products, each operand of `type`, may lose; for a type below f32, operands that were computed first may
// fall on two sides of a tie.
inline Tolerance product_tolerance(std::int64_t k, DType type) {
  const double eps = std::numeric_limits<float>::epsilon();
  return {eps * (32 + 4 * std::sqrt(static_cast<double>(k))) + (type == DType::bf16 ? 0x1p-8 : 0), 0};
}

inline void expect_near(const Tensor& got, const Tensor& want, const Tolerance& tolerance, const std::string& what) {
  const Tensor left = got.to_f32(), right = want.to_f32();
  const auto a = left.as<float>(), b = right.as<float>();
  double mean = 0, square = 0;
  for (const float value : b) mean += static_cast<double>(value) / static_cast<double>(b.size());
  for (const float value : b) square += std::pow(static_cast<double>(value) - mean, 2) / static_cast<double>(b.size());
  // A few numbers don't show how large the sums are that they came from: one alone has no deviation.
  const double deviation = std::max(std::sqrt(square), b.size() < 8 ? 1.0 : 1e-3);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double allowed = tolerance.of_deviation * deviation + tolerance.of_value * std::abs(static_cast<double>(b[i]));
    ASSERT_NEAR(a[i], b[i], allowed) << what << ", element " << i;
  }
}

// By the team, and by one alone with a plan for several, as by the reference.
inline void expect_as_reference(const Op& op, const OpInputs& inputs, std::string_view name, const Tolerance& tolerance, const std::string& what) {
  const Tensor want = run_by(op, inputs, "reference", 1, 1);
  for (const int threads : {1, 2, 3}) {
    const std::string where = what + " {" + op.text() + "}, threads " + std::to_string(threads);
    expect_near(run_by(op, inputs, name, threads, threads), want, tolerance, where);
    expect_near(run_by(op, inputs, name, threads, 1), want, tolerance, where + ", one came");
  }
}

// All outputs as by the reference, each within its tolerance; and the same bits by teams of any size, and by one alone with a
// plan for several.
inline void expect_outputs_as_reference(const Op& op, const std::vector<Tensor>& inputs, std::string_view name, const std::vector<Tolerance>& tolerances,
                                        const std::string& what) {
  const std::vector<Tensor> want = run_op(op, "reference", inputs, 1);
  std::string refusal;
  const std::vector<Tensor> first = run_op(op, name, inputs, 1, &refusal);
  ASSERT_EQ(first.size(), want.size()) << what << ": " << refusal;
  for (std::size_t i = 0; i < want.size(); ++i) expect_near(first[i], want[i], tolerances[i], what + " {" + op.text() + "}, output " + std::to_string(i));
  for (const TeamSize& team : {TeamSize(2), TeamSize(3), TeamSize(3, 1)}) {
    const std::vector<Tensor> got = run_op(op, name, inputs, team);
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(std::memcmp(got[i].data(), first[i].data(), first[i].bytes()), 0)
          << what << " {" << op.text() << "}, output " << i << ": " << team.running << " members of " << team.planned << " compute something else";
    }
  }
}

}  // namespace edgelab::kernels::testing
