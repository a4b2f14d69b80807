#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include <hwy/targets.h>

namespace edgelab::test {

// Calls `test` with each instruction set that was compiled and that this machine runs.
template <class Test> void on_each_target(const Test& test) {
  const std::int64_t before = hwy::SupportedTargets();
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    test();
  }
  hwy::SetSupportedTargetsForTest(before);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace edgelab::test
